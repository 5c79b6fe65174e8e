"""Landed files become few, by themselves: hours after each run, days when they are old enough.

An hour that is over is compacted as soon as its files are taken, and one that brings many files
already before it is over, as far as they are taken. The files of a finished day, compacted hours
among them, are combined into one.
"""

import time
from datetime import UTC, date, datetime, timedelta

import duckdb

from contract.progress import Progress, silent
from contract.settings import Settings
from pipelines.folder.lock import PATIENCE_S
from pipelines.landing.closed_partitions import due_day, keep_closed, take_inventory
from pipelines.landing.compactor import Compaction, Compactor, bytes_to_compact
from pipelines.landing.inventory import Listing
from pipelines.models.warehouse import open_warehouse

__all__ = ["Compaction", "compact", "compact_gradually"]

_BUDGET_S = 20.0
"""What a run may spend on hours before it leaves the rest to the next one."""


def compact(
    settings: Settings,
    before: date,
    on_progress: Progress = silent,
    patience_s: float = PATIENCE_S,
) -> Compaction:
    """Compact every landing day before a date (UTC), and the hours of the others.

    ``on_progress`` hears how many bytes of how many are done. Raises WarehouseBusyError where a
    run takes longer than ``patience_s``.
    """
    report = Compaction()
    with open_warehouse(settings, patience_s=patience_s) as con:
        inventory = take_inventory(con, settings.landing, everything=True)
        pending = {file.name.rpartition("/")[0] for file in inventory.pending}
        total, seen = sum(map(bytes_to_compact, inventory.listing.partitions)), 0
        for partition in inventory.listing.partitions:
            compactor = Compactor(con, settings.landing, partition, report)
            if partition.day >= before:
                compactor.compact_hours(datetime.now(UTC))
            elif partition.name in pending:
                report.waiting.append(partition.name)
            else:
                compactor.compact_day()
            seen += bytes_to_compact(partition)
            on_progress(seen, total)
    return report


def compact_gradually(
    con: duckdb.DuckDBPyConnection, settings: Settings, listing: Listing | None
) -> Compaction:
    """Compact the hours of the partitions that a run has just listed, and one day that is due.

    Does nothing where it listed none. A disk that does not allow it is no reason for a run to
    fail: the report says so.
    """
    report = Compaction()
    if listing is not None and settings.compact_after_days:
        try:
            _compact_gradually(con, settings, listing, report)
        except OSError as error:
            report.failure = f"{error.strerror or type(error).__name__}: {error.filename}"
    return report


def _compact_gradually(
    con: duckdb.DuckDBPyConnection, settings: Settings, listing: Listing, report: Compaction
) -> None:
    end = time.monotonic() + _BUDGET_S
    for partition in listing.partitions:
        compactor = Compactor(con, settings.landing, partition, report)
        compactor.compact_hours(datetime.now(UTC), lambda: time.monotonic() > end)
    age = timedelta(days=settings.compact_after_days)
    due = None if report.files else due_day(con, settings.landing, age)
    if due:
        Compactor(con, settings.landing, due, report).compact_day()
        keep_closed(con, settings.landing, due)
