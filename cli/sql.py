"""`dlr sql`: query the published database, in SQL or by the name of a question."""

import argparse
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches

import duckdb
from rich.console import Console
from rich.table import Table

from cli.instance import CommandError, published_database
from contract.settings import load_settings
from pipelines.models import literal
from pipelines.models.questions import Question, load_questions

_MOST_ROWS_ON_A_TERMINAL = 1_000
_COPY_OPTIONS = {
    "csv": "format csv, header true, use_tmp_file false",
    "json": "format json, array true, use_tmp_file false",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Query and output format."""
    parser.add_argument("query", nargs="?", help="SQL; read from standard input if left out")
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table")
    parser.add_argument("--question", metavar="NAME", help="answer a question by its name")
    parser.add_argument("--questions", action="store_true", help="list them")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the question; may be repeated",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the rows of one query, or the questions there are."""
    if arguments.questions:
        print("\n".join(_listed()))
        return 0
    asked = _question(arguments)
    path = published_database(load_settings())
    query = asked.sql if asked else arguments.query or _from_standard_input()
    try:
        with duckdb.connect(path, read_only=True) as con:
            con.execute("set TimeZone = 'UTC'")
            _set_parameters(con, asked, arguments.set)
            for statement in con.extract_statements(query):
                relation = con.sql(statement.query)
                if relation is not None:
                    _print(con, relation, arguments.format)
    except duckdb.Error as error:
        raise CommandError(f"The query failed: {error}") from error
    return 0


def _listed() -> Iterator[str]:
    for one in load_questions().values():
        yield f"{one.name}  ({one.asked_by})\n    {one.question}"
        yield from (f"    --set {name}=…  {text}" for name, text in one.parameters.items())


def _question(arguments: argparse.Namespace) -> Question | None:
    """The question that was named; None where SQL is to be run."""
    if not arguments.question:
        return None
    if arguments.query:
        raise CommandError("Give SQL or --question, not both.")
    questions = load_questions()
    if arguments.question not in questions:
        near = get_close_matches(arguments.question, questions, n=3, cutoff=0.4)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        raise CommandError(
            f"There is no question {arguments.question}.{meant} --questions lists them."
        )
    return questions[arguments.question]


def _set_parameters(
    con: duckdb.DuckDBPyConnection, asked: Question | None, words: Iterable[str]
) -> None:
    known = asked.parameters if asked else {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in known:
            names = ", ".join(known) or "none"
            raise CommandError(f"--set takes NAME=VALUE of the question's parameters: {names}.")
        con.execute(f"set variable {name} = {literal(value)}")


def _from_standard_input() -> str:
    if sys.stdin.isatty():
        print("SQL, ended by Ctrl-D; the tables: show all tables", file=sys.stderr)
    return sys.stdin.read()


def _print(con: duckdb.DuckDBPyConnection, relation: duckdb.DuckDBPyRelation, style: str) -> None:
    if style == "table":
        _print_table(relation)
    else:
        _copy(con, relation, _COPY_OPTIONS[style])


def _copy(con: duckdb.DuckDBPyConnection, relation: duckdb.DuckDBPyRelation, options: str) -> None:
    """CSV and JSON by DuckDB itself: exact digits, ISO times, nulls apart from empty texts.

    It writes into a pipe, and the bytes go on from there: were it to open standard output by its
    name, a file would be written anew from its beginning.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    with ThreadPoolExecutor(1) as pool, os.fdopen(reading, "rb") as answer:
        copied = pool.submit(_copy_into, writing, relation, options)
        try:
            shutil.copyfileobj(answer, sys.stdout.buffer)
        except BaseException:
            # nobody reads on: the query must not go on to its end
            con.interrupt()
            raise
    copied.result()


def _copy_into(pipe: int, relation: duckdb.DuckDBPyRelation, options: str) -> None:
    try:
        relation.query("answer", f"copy (from answer) to '/dev/fd/{pipe}' ({options})")
    finally:
        os.close(pipe)


def _print_table(relation: duckdb.DuckDBPyRelation) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    numbers = ("INT", "DOUBLE", "DECIMAL", "FLOAT")
    for name, kind in zip(relation.columns, relation.types, strict=True):
        justify = "right" if any(part in str(kind) for part in numbers) else "left"
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    rows = relation.limit(_MOST_ROWS_ON_A_TERMINAL + 1).fetchall()
    for row in rows[:_MOST_ROWS_ON_A_TERMINAL]:
        table.add_row(*_cells(row))
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)
    if len(rows) > _MOST_ROWS_ON_A_TERMINAL:
        print(f"… more than {_MOST_ROWS_ON_A_TERMINAL} rows; --format csv has all", file=sys.stderr)


def _cells(row: Iterable[object]) -> list[str]:
    return ["" if cell is None else str(cell) for cell in row]
