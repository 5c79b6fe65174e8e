"""What was landed taken again: the whole warehouse made anew, or the landing days from one on.

The whole is made beside the old one, then put in its place. From a day on it is done in place,
slice by slice: a slice that is stored is by the rules that hold now, the others stay as they were
until it is repeated.
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
    """Before and after."""

    before: dict[str, object] | None
    """Newest ledger row of the old warehouse; None where there was none that can be read."""
    after: dict[str, object] | None
    loaded: LoadReport
    changes: list[Change] | None
    """What moved; None where there was nothing that can be compared with."""


def rebuild(
    settings: Settings,
    run_id: str,
    on_progress: Progress = silent,
) -> Rebuilt:
    """Throw the warehouse away and make it anew; readers keep the old state until the end."""
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
        # what the old one had not written out yet must not meet the new one
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
        replace_file(new, path)
        stamp(settings)
        with open_warehouse(settings) as con:
            publish(con, settings)
            return Rebuilt(before, ledger.latest(con), loaded, changes)


def rebuild_from(
    settings: Settings, run_id: str, day: date, on_progress: Progress = silent
) -> Rebuilt:
    """Take the landing days from ``day`` (UTC) on again, in place.

    Every push of these days is decoded anew, and everything about every message they report is
    computed anew, whichever day its other reports came. What stays as it was: messages reported
    only before that day, and how earlier pushes were decoded.

    Where nothing landed on these days, nothing is done. Raises WarehouseError where a file that
    was taken from them is gone.
    """
    with open_warehouse(settings) as con:
        before = ledger.latest(con)
        files = [f for f in list_landed(settings.landing) if f.day is None or f.day >= day]
        _expect_all(con, {file.name for file in files}, day)
        if not files:
            return Rebuilt(before, before, LoadReport(), [])
        loaded = load(con, settings, run_id, {file.day for file in files}, on_progress)
        refresh_marts(con)
        publish(con, settings)
        return Rebuilt(before, ledger.latest(con), loaded, loaded.changes)


def _expect_all(con: duckdb.DuckDBPyConnection, there: set[str], day: date) -> None:
    taken = con.execute(
        """
        select file from ops.files where pushes > 0 and coalesce(landing_day >= $day, true)
        union
        select container from ops.compacted_files where coalesce(landing_day >= $day, true)
        """,
        {"day": day},
    ).fetchall()
    gone = sorted({file for (file,) in taken} - there)
    if gone:
        raise WarehouseError(
            f"{len(gone):,} landed file(s) that were taken are gone, the first is {gone[0]}; "
            "restore them from a backup, or `dlr rebuild` without them."
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
