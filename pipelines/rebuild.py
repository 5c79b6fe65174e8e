"""The warehouse made anew from the landed files, beside the old one, then put in its place."""

from dataclasses import dataclass

import duckdb

from ingest.settings import Settings
from pipelines import ledger
from pipelines.files import replace_file
from pipelines.load import LoadReport, load
from pipelines.lock import pipeline_lock
from pipelines.marts import refresh_marts
from pipelines.progress import Progress, silent
from pipelines.publish import publish
from pipelines.warehouse import open_warehouse, warehouse_path


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Before and after."""

    before: dict[str, object] | None
    """Newest ledger row of the old warehouse; None where there was none that can be read."""
    after: dict[str, object] | None
    loaded: LoadReport


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
        # what the old one had not written out yet must not meet the new one
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
        replace_file(new, path)
        with open_warehouse(settings) as con:
            publish(con, settings)
            return Rebuilt(before, ledger.latest(con), loaded)


def _latest(settings: Settings) -> dict[str, object] | None:
    path = warehouse_path(settings)
    if not path.exists():
        return None
    try:
        with duckdb.connect(path, read_only=True) as con:
            return ledger.latest(con)
    except duckdb.Error:
        return None
