"""The product: the Dagster job `refresh` in this process, from its start to published.

The work folder is the data folder; with ``--memory-limit`` as ``DLR_MEMORY_LIMIT``.
"""

import argparse
import os
from pathlib import Path

import duckdb

from benchmarks.pipeline.outcome import Outcome, peak_bytes, stopwatch, tell, written_bytes
from contract.settings import Settings, load_settings
from pipelines.definitions import defs
from pipelines.folder.show import analytics_path
from pipelines.runs.instance import dagster_instance, refresh


def main() -> None:
    """Take in what is pending."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--memory-limit")
    arguments = parser.parse_args()
    os.umask(0o077)  # as the command does
    # the job reads the environment
    os.environ["DLR_DATA"] = str(arguments.data)
    if arguments.memory_limit:
        os.environ["DLR_MEMORY_LIMIT"] = arguments.memory_limit
    settings = load_settings()
    defs().resolve_job_def("refresh")
    with dagster_instance(settings):
        pass  # Dagster makes its tables at the first use of a folder
    stop = stopwatch()
    refresh(settings)
    seconds, cpu_seconds = stop()
    peak = peak_bytes()
    messages, delivered = _published(settings)
    tell(Outcome(seconds, cpu_seconds, messages, delivered, peak, written_bytes(arguments.data)))


def _published(settings: Settings) -> tuple[int, int]:
    """What readers see."""
    with duckdb.connect(analytics_path(settings), read_only=True) as con:
        return con.execute(
            "select coalesce(sum(reports), 0)::bigint, coalesce(sum(delivered), 0)::bigint "
            "from marts.delivery_daily"
        ).fetchall()[0]


if __name__ == "__main__":
    main()
