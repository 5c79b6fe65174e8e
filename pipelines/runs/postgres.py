"""Dagster's event log in PostgreSQL; needs the extra ``postgres``."""

from dagster._core.events.log import EventLogEntry
from dagster_postgres.event_log import PostgresEventLogStorage

from pipelines.runs.slim import slim


class PostgresEventLog(PostgresEventLogStorage):  # type: ignore[misc,unused-ignore]
    """Dagster's own, with smaller events."""

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event without what is stored elsewhere."""
        super().store_event(slim(event))
