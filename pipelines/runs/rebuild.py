"""Landed files processed again: for a new warehouse, or the landing days from one on.

A new warehouse is built beside the old one and then replaces it. From a day on, the rebuild happens
in place, batch by batch. If it is interrupted, finished batches follow the current rules and the
others stay as they were until the rebuild is repeated.
"""

from dataclasses import dataclass
from datetime import date

import duckdb

from contract.progress import Progress, silent
from contract.settings import Settings
from pipelines.folder.files import replace_file
from pipelines.folder.format import stamp
from pipelines.folder.lock import WarehouseError, pipeline_lock
from pipelines.landing.inventory import list_landed
from pipelines.load import ledger
from pipelines.load.changes import Change, compare_with
from pipelines.load.load import LoadReport, load
from pipelines.load.marts import refresh_marts
from pipelines.models.warehouse import open_warehouse, warehouse_path
from pipelines.publish.publish import publish


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did."""

    before: dict[str, object] | None
    """Newest ledger row of the old warehouse; None where it could not be read."""
    after: dict[str, object] | None
    loaded: LoadReport
    changes: list[Change] | None
    """Rows that changed; None where there was nothing to compare with."""


def rebuild(
    settings: Settings,
    run_id: str,
    on_progress: Progress = silent,
) -> Rebuilt:
    """Replace the warehouse by a newly built one; readers keep the old state until the end."""
    path = warehouse_path(settings)
    new = path.with_name(".warehouse.rebuilding.duckdb")
    with pipeline_lock(settings):
        before = _latest(settings)
        for left_over in path.parent.glob(f"{new.name}*"):
            left_over.unlink()
        with open_warehouse(settings, path=new) as con:
            loaded = load(con, settings, run_id, on_progress=on_progress)
            refresh_marts(con)
            changes = compare_with(con, run_id, path) if before else None
        # the write-ahead log of the old warehouse must not be applied to the new one
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
        replace_file(new, path)
        stamp(settings)
        with open_warehouse(settings) as con:
            publish(con, settings)
            return Rebuilt(before, ledger.latest(con), loaded, changes)


def rebuild_from(
    settings: Settings, run_id: str, day: date, on_progress: Progress = silent
) -> Rebuilt:
    """Process the landing days from ``day`` (UTC) on again, in place.

    Every push of these days is decoded again, and every message they report is recomputed as a
    whole, whichever day its other reports came. Messages reported only before that day stay as they
    were, and so does the decoding of earlier pushes.

    Does nothing where nothing landed on these days. Raises WarehouseError where a file that was
    loaded from them is gone.
    """
    with open_warehouse(settings) as con:
        before = ledger.latest(con)
        files = [
            file for file in list_landed(settings.landing) if file.day is None or file.day >= day
        ]
        _expect_all(con, {file.name for file in files}, day)
        if not files:
            return Rebuilt(before, before, LoadReport(), [])
        loaded = load(con, settings, run_id, {file.day for file in files}, on_progress)
        refresh_marts(con)
        publish(con, settings)
        return Rebuilt(before, ledger.latest(con), loaded, loaded.changes)


def _expect_all(con: duckdb.DuckDBPyConnection, present: set[str], day: date) -> None:
    loaded = con.execute(
        """
        select file from ops.files where pushes > 0 and coalesce(landing_day >= $day, true)
        union
        select container from ops.compacted_files where coalesce(landing_day >= $day, true)
        """,
        {"day": day},
    ).fetchall()
    missing = sorted({file for (file,) in loaded} - present)
    if missing:
        raise WarehouseError(
            f"{len(missing):,} landed file(s) that were loaded are gone, first {missing[0]}. "
            "Restore them from a backup, or run `dlr rebuild` without them."
        )


def _latest(settings: Settings) -> dict[str, object] | None:
    path = warehouse_path(settings)
    if not path.exists():
        return None
    try:
        with open_warehouse(settings, read_only=True) as con:
            return ledger.latest(con)
    except (WarehouseError, duckdb.Error):
        return None
