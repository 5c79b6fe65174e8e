"""Steps at work: their rows into stored tables, into other relations, and back to Python."""

from typing import Any

import duckdb

from pipelines.models.catalog import load_models
from pipelines.models.steps import mark_stale


def fetch(con: duckdb.DuckDBPyConnection, step: str) -> list[dict[str, Any]]:
    """Compute a step and return its rows, values by column."""
    return fetch_rows(con, load_models()[step].sql)


def fetch_rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """Rows of a query, values by column."""
    cursor = con.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


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
