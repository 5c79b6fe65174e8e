"""The one way in which rows of Python become a relation of DuckDB."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

TEXT, COUNT, TIME, DAY = "varchar", "bigint", "timestamp", "date"
"""Types of columns; times are naive UTC."""


def hand_over(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    rows: Iterable[Mapping[str, Any] | Sequence[Any]],
    types: Mapping[str, str],
) -> None:
    """Make a temporary table of rows, each a mapping or a sequence of values in column order.

    ``types`` names the columns and pins what each is, so that an empty column has its type, too.
    """
    values: list[list[Any]] = [[] for _ in types]
    for row in rows:
        in_order = map(row.__getitem__, types) if isinstance(row, Mapping) else row
        for column, value in zip(values, in_order, strict=True):
            column.append(value)
    columns = ", ".join(f'unnest(?::{kind}[]) as "{name}"' for name, kind in types.items())
    con.execute(f"create or replace temp table {relation} as select {columns}", values)
