"""The event log by the name it had; see ``pipelines.runs.event_log``."""

from pipelines.runs.event_log import EventLog

__all__ = ["EventLog"]
