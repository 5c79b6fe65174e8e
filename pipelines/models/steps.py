"""Models run: temporary steps made, the rows of stored tables replaced."""

from collections.abc import Iterable

import duckdb

from pipelines.models.catalog import load_models
from pipelines.models.headers import Model
from pipelines.models.parsing import literal


def run_temporary(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Make temporary steps, in the order given."""
    for name in names:
        con.execute(creation_of(load_models()[name]))


def creation_of(model: Model) -> str:
    """The statement that makes a temporary step."""
    kind = "view" if model.materialized == "view" else "table"
    return f"create or replace temp {kind} {model.name} as {rows_of(model)}"


def rows_of(model: Model) -> str:
    """The query for a model's rows: its SELECT; where it has none what is stored, if anything."""
    if model.sql or not model.temporary:
        return model.sql or f"from {model.name}"
    nulls = ", ".join(f'null::{kind} as "{name}"' for name, kind in model.types.items())
    return f"select {nulls} where false"


def refresh(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Replace the rows of the stale keys, or all; old and new rows are marked for export."""
    for scope in model.scopes:
        mark_stale(con, model, scope)
    replace(con, model)
    for scope in model.scopes:
        mark_stale(con, model, scope)


def replace(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Replace the rows of the stale keys, or all; the caller marks what must be exported."""
    for scope in model.scopes:
        con.execute(f"delete from {model.name} where {scope}")
    con.execute(f"insert into {model.name} by name {model.sql}")


def mark_stale(con: duckdb.DuckDBPyConnection, model: Model, scope: str) -> None:
    """Remember that the data files with the rows in ``scope`` must be written again."""
    if model.export is None:
        return
    con.execute(
        f"""
        insert into ops.stale_parts
        select distinct {literal(model.name)}, {model.export.part} from {model.name} where {scope}
        except
        from ops.stale_parts
        """
    )
