"""What the report shows, by the queries of `one_answer.sql` on the published database."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

Rows = list[dict[str, Any]]
_QUERIES = Path(__file__).with_name("one_answer.sql")


def answers(database: Path, period: Mapping[str, Any]) -> dict[str, Rows]:
    """The rows of each query, asked for these days."""
    text = _QUERIES.read_text(encoding="utf-8")
    queries = re.findall(r"^-- ([a-z_: ]+)\n(.*?;)$", text, re.DOTALL | re.MULTILINE)
    with duckdb.connect(database, read_only=True) as con:
        for name, value in period.items():
            literal = f"timestamp '{value}'" if isinstance(value, datetime) else value
            con.execute(f"set variable {name} = {literal}")
        return {name: _rows(con.execute(query)) for name, query in queries}


def _rows(cursor: duckdb.DuckDBPyConnection) -> Rows:
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
