"""Core to marts: the hours that changed are computed again, nothing else."""

import time
from collections.abc import Collection

import duckdb

from pipelines import models
from pipelines.models.computed import note_computed, outdated_marts
from pipelines.models.warehouse import transaction


def mart_models() -> list[models.Model]:
    """All marts, each after the ones it reads from."""
    return [model for model in _steps() if not model.temporary]


def _steps() -> list[models.Model]:
    """Marts and the temporary steps between them, in order."""
    folders = ("marts", "steps/marts")
    return [model for model in models.load_models().values() if model.folder in folders]


def is_stale(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether any hour changed since the marts were computed."""
    return bool(con.execute("from ops.stale_hours limit 1").fetchall())


def refresh_marts(con: duckdb.DuckDBPyConnection, run_id: str | None = None) -> list[str]:
    """Bring every mart up to date; returns the edited ones, which are computed anew as a whole.

    The steps between them are made even where nothing is stale: checks look at what changed.
    """
    con.execute("create or replace temp table hours_to_refresh as from ops.stale_hours")
    stale = is_stale(con)
    with transaction(con):
        for model in _steps():
            if model.temporary:
                models.run_temporary(con, (model.name,))
            elif stale:
                models.refresh(con, model)
        con.execute("delete from ops.stale_hours")
    edited = {model.name for model in outdated_marts(con)}
    if edited:
        rebuild_marts(con, edited, run_id)
    return sorted(edited)


def rebuild_marts(
    con: duckdb.DuckDBPyConnection, names: Collection[str], run_id: str | None = None
) -> None:
    """Compute the named marts anew from all of core."""
    models.run_temporary(con, ("hours_to_refresh",))
    seconds: dict[str, float] = {}
    with transaction(con):
        for model in _steps():
            started = time.monotonic()
            if model.temporary:
                models.run_temporary(con, (model.name,))
            elif model.name in names:
                models.mark_stale(con, model, "true")
                con.execute(f"delete from {model.name}")
                models.refresh(con, model)
                seconds[model.name] = time.monotonic() - started
        note_computed(con, seconds, run_id)
