"""Models run: temporary steps made, the rows of stored tables replaced."""

from collections.abc import Iterable
from typing import Any

import duckdb

from pipelines.models.catalog import known_models, load_models
from pipelines.models.headers import Model
from pipelines.models.parsing import literal
from pipelines.models.rows import fetch_rows


def run_temporary(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Make temporary steps, in the order given."""
    for name in names:
        con.execute(creation_of(known_models()[name]))


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


def fetch(con: duckdb.DuckDBPyConnection, step: str) -> list[dict[str, Any]]:
    """Compute a step and return its rows, values by column."""
    return fetch_rows(con, load_models()[step].sql)


def make(con: duckdb.DuckDBPyConnection, relation: str, step: str) -> None:
    """Make a temporary table of a step's rows, under the name that other steps read."""
    con.execute(f"create or replace temp table {relation} as {load_models()[step].sql}")


def insert(con: duckdb.DuckDBPyConnection, table: str, step: str) -> None:
    """Add the rows of a step, column by column of the same name."""
    con.execute(f"insert into {table} by name {load_models()[step].sql}")


def insert_missing(con: duckdb.DuckDBPyConnection, table: str, step: str) -> None:
    """Add the rows of a step that the table does not hold yet; the columns are in its order."""
    con.execute(f"insert into {table} from ({load_models()[step].sql}) except from {table}")


def update(con: duckdb.DuckDBPyConnection, table: str, step: str, key: str) -> None:
    """Set the columns of a step that was run, in the rows of the same key."""
    columns = con.execute(f"describe {step}").fetchall()
    values = ", ".join(f"{name} = new.{name}" for name, *_ in columns if name != key)
    con.execute(
        f"update {table} as old set {values} from {step} as new where old.{key} = new.{key}"
    )


def delete(con: duckdb.DuckDBPyConnection, table: str, scope: str) -> None:
    """Delete rows, and mark stale what was exported of them."""
    mark_stale(con, load_models()[table], scope)
    con.execute(f"delete from {table} where {scope}")


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


def mark_stale(con: duckdb.DuckDBPyConnection, model: Model, scope: str = "true") -> None:
    """Remember that the data files with the rows in ``scope`` must be written again."""
    if model.export:
        con.execute(
            f"""
            insert into ops.stale_parts
            select distinct {literal(model.name)}, {model.export.part} from {model.name}
            where {scope}
            except
            from ops.stale_parts
            """
        )
