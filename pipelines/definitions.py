"""The code location, which Dagster finds by this module's name."""

import dagster as dg

from pipelines.runs.graph import definitions


@dg.definitions
def defs() -> dg.Definitions:
    """Assets, checks, the job, its sensor and its schedules."""
    return definitions()
