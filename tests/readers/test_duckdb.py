"""analytics.duckdb as DuckDB of this and of the previous major version reads it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import duckdb

from pipelines.models.questions import load_questions
from tests.readers.published import QUESTIONS, Published

ASK = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=sys.argv[1] != ":memory:") as con:
    cursor = con.execute(sys.argv[2])
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row)) for row in cursor.fetchall()]
print(json.dumps({"version": duckdb.__version__, "rows": rows}, default=str))
"""
COLUMNS = """
select
    schema_name || '.' || table_name as relation, column_name as column_name,
    lower(data_type) as type, comment
from duckdb_columns() where not internal
"""


def ask(python: Path, *words: str) -> list[dict[str, Any]]:
    """Rows, as the older DuckDB has them."""
    done = subprocess.run(
        [python, "-c", ASK, *words], capture_output=True, text=True, check=False, timeout=60
    )
    assert not done.returncode, done.stderr
    answer = json.loads(done.stdout)
    assert answer["version"].startswith("1.")
    return list(answer["rows"])


def test_this_version(published: Published) -> None:
    with duckdb.connect(published.database, read_only=True) as con:
        cursor = con.execute(QUESTIONS)
        names = [column[0] for column in cursor.description or ()]
        assert dict(zip(names, cursor.fetchall()[0], strict=True)) == published.answers


def test_the_previous_major_version(published: Published, older_python: Path) -> None:
    assert ask(older_python, str(published.database), QUESTIONS) == [published.answers]


def test_types_and_comments_in_the_previous_major_version(
    published: Published, older_python: Path
) -> None:
    rows = ask(older_python, str(published.database), COLUMNS)
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        assert row["comment"]
        found.setdefault(row["relation"], {})[row["column_name"]] = row["type"]
    assert {table: found[table] for table in published.types} == published.types


def test_the_published_function_works_in_the_previous_major_version(
    published: Published, older_python: Path
) -> None:
    query = """
        select percentile_of_buckets(upper_bound_s, n, 0.99) as p99
        from marts.latency_buckets_hourly where interval = 'report_lag'
        """
    with duckdb.connect(published.database, read_only=True) as con:
        [(expected,)] = con.execute(query).fetchall()
    assert ask(older_python, str(published.database), query) == [{"p99": expected}]


def test_the_parquet_files_in_the_previous_major_version(
    published: Published, older_python: Path
) -> None:
    files = [str(path) for path in published.files["core.sms_status"]]
    query = f"select count(*) as n, max(sid) as sid from read_parquet({files})"
    assert ask(older_python, ":memory:", query) == [
        {"n": published.answers["messages"], "sid": published.answers["greatest_sid"]}
    ]


def test_the_named_questions_give_the_same_answers_in_the_previous_major_version(
    published: Published, older_python: Path
) -> None:
    for question in load_questions().values():
        with duckdb.connect(published.database, read_only=True) as con:
            cursor = con.execute(question.sql)
            names = [column[0] for column in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        expected = json.loads(json.dumps(rows, default=str))
        found = ask(older_python, str(published.database), question.sql)
        assert rounded(found) == rounded(expected), question.name


def rounded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fractions to twelve digits: between two values versions interpolate in their own way."""
    return [
        {k: float(f"{v:.12g}") if isinstance(v, float) else v for k, v in row.items()}
        for row in rows
    ]
