"""Finished landing days are not listed again.

``ops.sealed_days`` notes a day's folder that is over, with everything in it taken. A file that
comes or goes changes the folder's times, and the day is listed again. ``dlr verify`` and ``dlr
rebuild`` list everything.
"""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd

from pipelines.landing.inventory import Folder, LandedFile, Listing, Sealed, look, stamp_of
from pipelines.models.warehouse import transaction

SEAL_AFTER = timedelta(days=3)
_SETTLED_NS = 60 * 10**9
"""A folder whose last change is younger may change again without its times telling it."""

Known = dict[str, tuple[int, int, str | None]]
"""Size, time of change and problem by file."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What lies in the landing folder, and which of it is new."""

    listing: Listing
    pending: list[LandedFile]
    """Files that were never read, or have changed since."""

    @property
    def files(self) -> int:
        """How many landed files there are, those of sealed days included."""
        return len(self.listing.files) + self.listing.sealed_files

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(file.size for file in self.listing.files) + self.listing.sealed_bytes


def survey(con: duckdb.DuckDBPyConnection, landing: Path) -> Survey:
    """List what is not sealed and compare it with what the warehouse has read."""
    rows = con.execute("select folder, stamp, files, bytes from ops.sealed_days").fetchall()
    return _survey(con, landing, {name: (stamp, n, size) for name, stamp, n, size in rows})


def survey_all(con: duckdb.DuckDBPyConnection, landing: Path) -> Survey:
    """List everything, sealed or not."""
    return _survey(con, landing, {})


def _survey(con: duckdb.DuckDBPyConnection, landing: Path, sealed: Sealed) -> Survey:
    listing = look(landing, sealed)
    known = _known(con, listing)
    fresh = [
        file
        for file in listing.files
        if known.get(file.name, ())[:2] != (file.size, file.changed_ns)
    ]
    return Survey(listing, fresh)


def _known(con: duckdb.DuckDBPyConnection, listing: Listing) -> Known:
    """What was read of the days that were listed; of others nothing is asked."""
    days = sorted({file.day for file in listing.files if file.day is not None})
    rows = con.execute(
        """
        select file, bytes, changed_ns, problem
        from ops.files
        where landing_day is null or landing_day in (select unnest(?::date[]))
        """,
        [days],
    ).fetchall()
    return {name: (size, changed_ns, problem) for name, size, changed_ns, problem in rows}


def seal(con: duckdb.DuckDBPyConnection, landing: Path, listing: Listing) -> None:
    """Note the days that are over, and of which every file was taken as it lies there."""
    candidates = [folder for folder in listing.folders if _is_over(folder)]
    if not candidates:
        return
    known = _known(con, listing)
    done = [
        {
            "folder": folder.name,
            "stamp": folder.stamp,
            "files": len(folder.files),
            "bytes": sum(file.size for file in folder.files),
            "sealed_at_utc": datetime.now(UTC).replace(tzinfo=None),
        }
        for folder in candidates
        if all(_is_settled(file, known) for file in folder.files)
        and stamp_of(landing / folder.name) == folder.stamp
    ]
    if done:
        con.register("sealed", pd.DataFrame(done).astype({"folder": "string", "stamp": "string"}))
        with transaction(con):
            con.execute("delete from ops.sealed_days where folder in (select folder from sealed)")
            con.execute("insert into ops.sealed_days by name from sealed")
        con.unregister("sealed")


def _is_over(folder: Folder) -> bool:
    day = date.fromisoformat(folder.name.rpartition("/")[2])
    settled = time.time_ns() - folder.changed_ns > _SETTLED_NS
    return folder.flat and settled and day < datetime.now(UTC).date() - SEAL_AFTER


def _is_settled(file: LandedFile, known: Known) -> bool:
    # a quarantined file may be mended in place, which the folder's times do not tell
    return known.get(file.name) == (file.size, file.changed_ns, None)
