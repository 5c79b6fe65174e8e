"""Which landed files are pending, without listing partitions (landing days) that are closed.

A partition that is over, with every file in it taken, is registered in ``ops.sealed_days``. A file
that comes or goes changes its folder's stamp, and it is listed again. ``dlr verify`` and ``dlr
rebuild`` list everything.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from pipelines.landing.inventory import (
    LandedFile,
    Listing,
    Partition,
    list_open,
    list_partition,
    stamp_of,
    visible,
)
from pipelines.landing.registry import LANDED_FILES, pending, registered
from pipelines.models.rows import hand_over
from pipelines.models.warehouse import transaction

CLOSE_AFTER = timedelta(days=3)
_SETTLED_NS = 60 * 10**9
"""A folder whose last change is younger may change again without a new stamp."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What lies in the landing folder, and which of it is pending."""

    listing: Listing
    pending: list[LandedFile]
    """Files that were never read, or have changed since."""

    @property
    def files(self) -> int:
        """How many landed files there are, those of closed partitions included."""
        return len(self.listing.files) + self.listing.closed_files

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(file.size for file in self.listing.files) + self.listing.closed_bytes


def take_inventory(
    con: duckdb.DuckDBPyConnection, landing: Path, *, everything: bool = False
) -> Inventory:
    """List what is not closed, or everything, and compare it with the registry."""
    rows = con.execute("select folder, stamp, files, bytes from ops.sealed_days").fetchall()
    closed = {folder: (stamp, files, size) for folder, stamp, files, size in rows}
    listing = list_open(landing, {} if everything else closed)
    return Inventory(listing, pending(listing.files, _registered(con, listing)))


def _registered(
    con: duckdb.DuckDBPyConnection, listing: Listing, more: str = ""
) -> dict[str, tuple[object, ...]]:
    """Size and time of change of the files that were read, in the landing days listed only."""
    days = sorted({file.day for file in listing.files if file.day is not None})
    return registered(con, LANDED_FILES, f"bytes, changed_ns{more}", days)


def close_partitions(con: duckdb.DuckDBPyConnection, landing: Path, listing: Listing) -> None:
    """Register the partitions that are over and of which every file was taken as it lies there."""
    candidates = [partition for partition in listing.partitions if _is_over(partition)]
    if not candidates:
        return
    known = _registered(con, listing, ", problem")
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [
        (each.name, each.stamp, len(each.files), sum(file.size for file in each.files), now)
        for each in candidates
        # a quarantined file may be repaired in place, which does not change the folder's stamp
        if not pending(each.files, known, (None,))
        and _is_flat(landing / each.name)
        and stamp_of(landing / each.name) == each.stamp
    ]
    if rows:
        with transaction(con):
            hand_over(con, "closed", rows, "ops.sealed_days")
            con.execute("delete from ops.sealed_days where folder in (select folder from closed)")
            con.execute("insert into ops.sealed_days by name from closed")


def due_day(con: duckdb.DuckDBPyConnection, landing: Path, age: timedelta) -> Partition | None:
    """A closed partition of several files that has reached an age, and was closed before it did.

    One that was closed again after that is not due: what is in it cannot be compacted further.
    """
    age = max(age, CLOSE_AFTER + timedelta(days=1))
    rows = con.execute(
        """
        with closed as (
            select *, split_part(folder, '/', -1)::date as day from ops.sealed_days where files > 1
        )

        select folder, stamp
        from closed
        where day < $today - $age and sealed_at_utc < day + $age + interval 1 day
        order by folder
        """,
        {"today": datetime.now(UTC).date(), "age": age},
    ).fetchall()
    listed = (list_partition(landing, folder) for folder, _ in rows)
    stamps = dict(rows)
    return next((each for each in listed if each and each.stamp == stamps[each.name]), None)


def keep_closed(con: duckdb.DuckDBPyConnection, landing: Path, partition: Partition) -> None:
    """Note that a partition was closed once more, if nothing in it has changed."""
    if stamp_of(landing / partition.name) == partition.stamp:
        con.execute(
            "update ops.sealed_days set sealed_at_utc = ? where folder = ?",
            [datetime.now(UTC).replace(tzinfo=None), partition.name],
        )


def _is_over(partition: Partition) -> bool:
    settled = time.time_ns() - partition.changed_ns > _SETTLED_NS
    return settled and partition.day < datetime.now(UTC).date() - CLOSE_AFTER


def _is_flat(folder: Path) -> bool:
    """Whether it holds no folder, whose changes its own stamp would not show."""
    return not any(entry.is_dir() for entry in visible(folder))
