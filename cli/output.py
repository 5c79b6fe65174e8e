"""Rows on standard output: a table for people, CSV and JSON for programs."""

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

import duckdb
from rich.console import Console
from rich.table import Table

FORMATS = ("table", "csv", "json")
_MOST_ROWS_ON_A_TERMINAL = 1_000
_COPY_OPTIONS = {
    "csv": "format csv, header true, use_tmp_file false",
    "json": "format json, array true, use_tmp_file false",
}
_NUMBERS = ("INT", "DOUBLE", "DECIMAL", "FLOAT")


def print_relation(
    con: duckdb.DuckDBPyConnection, relation: duckdb.DuckDBPyRelation, style: str
) -> None:
    """Print the rows of ``relation`` in one of FORMATS; ``con`` is the connection it is of."""
    if style != "table":
        _copy(con, relation, _COPY_OPTIONS[style])
        return
    rows = relation.limit(_MOST_ROWS_ON_A_TERMINAL + 1).fetchall()
    table = make_table(relation, rows[:_MOST_ROWS_ON_A_TERMINAL])
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)
    if len(rows) > _MOST_ROWS_ON_A_TERMINAL:
        print(
            f"… only the first {_MOST_ROWS_ON_A_TERMINAL:,} rows are shown; "
            "--format csv prints all of them",
            file=sys.stderr,
        )


def make_table(
    relation: duckdb.DuckDBPyRelation, rows: list[tuple[object, ...]], *, grouped: bool = False
) -> Table:
    """A table with numbers on the right; ``grouped`` writes whole numbers as ``1,234``."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, kind in zip(relation.columns, relation.types, strict=True):
        is_number = any(number in str(kind) for number in _NUMBERS)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value, grouped) for value in row))
    return table


def _cell(value: object, grouped: bool) -> str:
    if value is None:
        return ""
    return f"{value:,}" if grouped and isinstance(value, int) else str(value)


def _copy(con: duckdb.DuckDBPyConnection, relation: duckdb.DuckDBPyRelation, options: str) -> None:
    """Let DuckDB write CSV and JSON: exact digits, ISO times, nulls apart from empty texts.

    It writes into a pipe, and the bytes go on from there: if it opened standard output by name,
    ``>>`` would overwrite a file instead of appending to it.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    with ThreadPoolExecutor(1) as pool, os.fdopen(reading, "rb") as answer:
        copied = pool.submit(_copy_into, writing, relation, options)
        try:
            shutil.copyfileobj(answer, sys.stdout.buffer)
        except BaseException:
            # Nobody reads any more: stop the query.
            con.interrupt()
            raise
    copied.result()


def _copy_into(pipe: int, relation: duckdb.DuckDBPyRelation, options: str) -> None:
    try:
        relation.query("answer", f"copy (from answer) to '/dev/fd/{pipe}' ({options})")
    finally:
        os.close(pipe)
