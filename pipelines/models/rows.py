"""Rows of Python to relations of DuckDB, and back."""

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from pipelines.models.catalog import known_models


def hand_over(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    rows: Iterable[Sequence[object]],
    like: str | None = None,
) -> None:
    """Make a temporary table of rows, each with the values of all columns in order.

    Columns and types are those of ``warehouse/inputs``, or of the stored table ``like``.
    """
    types = known_models()[like or relation].types
    # column by column: DuckDB takes ten times as long to convert rows
    columns = list(map(list, zip(*rows, strict=True))) or [[] for _ in types]
    values = ", ".join(f'unnest(?::{kind}[]) as "{name}"' for name, kind in types.items())
    con.execute(f"create or replace temp table {relation} as select {values}", columns)


def fetch_rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """Rows of a query, values by column."""
    cursor = con.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
