"""The temporary table ``send_rows``: rows of the send log as text, as they stand in their files."""

from collections.abc import Iterator

import duckdb
import pandas as pd

from pipelines.models import literal

COLUMNS = ("sid", "uid", "sent_at", "tag", "mobile")
_CHUNK = 100_000

Row = tuple[str | None, ...]
"""The text of the whole row where it is none, else None; then the five columns."""


class UnreadableError(ValueError):
    """A file no row can be taken from; the message goes on from its name."""


def make_table(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table, empty."""
    columns = ", ".join(f"{name} varchar" for name in COLUMNS)
    con.execute(
        f"create or replace temp table send_rows "
        f"(file varchar, position bigint, whole varchar, {columns})"
    )


def check_names(names: list[str]) -> None:
    """Raise UnreadableError where columns are missing or stand there twice."""
    if "sent_at" not in names or not {"sid", "uid"} & set(names):
        raise UnreadableError(
            "has no column sent_at, or neither sid nor uid; its first line must name the columns"
        )
    twice = [name for name in COLUMNS if names.count(name) > 1]
    if twice:
        raise UnreadableError(f"has the column {twice[0]} twice; leave one out")


def hand_over(con: duckdb.DuckDBPyConnection, name: str, rows: Iterator[Row]) -> None:
    """Rows in order to ``send_rows``, a chunk at a time."""
    part: list[Row] = []
    for position, row in enumerate(rows, start=1):
        part.append((str(position), *row))
        if len(part) == _CHUNK:
            store(con, name, part)
            part = []
    store(con, name, part)


def store(con: duckdb.DuckDBPyConnection, name: str, rows: list[Row]) -> None:
    """Add rows, each behind its position."""
    if not rows:
        return
    frame = pd.DataFrame(rows, columns=["position", "whole", *COLUMNS], dtype="string")
    con.register("odd_rows", frame)
    con.execute(f"insert into send_rows by name select {literal(name)} as file, * from odd_rows")
    con.unregister("odd_rows")
