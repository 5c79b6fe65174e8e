"""The one way in which rows of Python become a relation of DuckDB."""

from collections.abc import Iterable, Mapping

import duckdb
import pandas as pd

TEXT, COUNT, NUMBER, TIME = "string", "int64", "Int64", "datetime64[us]"
"""Types of columns: text, whole numbers, the same with nulls, naive UTC; ``object`` for dates."""


def hand_over(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    rows: Iterable[object],
    types: Mapping[str, str],
) -> None:
    """Make a temporary table of rows, each a mapping or a sequence of values in column order.

    ``types`` names the columns and pins what each is, so that an empty column has its type, too.
    """
    frame = pd.DataFrame(list(rows), columns=list(types)).astype(dict(types))
    con.register("handed_over", frame)
    try:
        con.execute(f"create or replace temp table {relation} as from handed_over")
    finally:
        con.unregister("handed_over")
