"""`dlr sql`: query the published database, in SQL or by the name of a question."""

import argparse
import sys
from collections.abc import Iterable, Iterator

import duckdb

from cli.common import CommandError, expect_known
from cli.output import FORMATS, print_relation
from cli.published import open_published
from contract.settings import load_settings
from pipelines.models import literal
from pipelines.models.questions import Question, load_questions


def add_options(parser: argparse.ArgumentParser) -> None:
    """Query and output format."""
    parser.add_argument("query", nargs="?", help="SQL; read from standard input if omitted")
    parser.add_argument("--format", choices=FORMATS, default="table", help="output format (table)")
    parser.add_argument("--question", metavar="NAME", help="run a named question")
    parser.add_argument("--questions", action="store_true", help="list the named questions")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter of the question; may be repeated",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the rows of one query, or the questions there are."""
    if arguments.questions:
        print("\n".join(_listed()))
        return 0
    question = _question(arguments)
    try:
        with open_published(load_settings()) as con:
            query = question.sql if question else arguments.query or _from_standard_input()
            _set_parameters(con, question, arguments.set)
            for statement in con.extract_statements(query):
                relation = con.sql(statement.query)
                if relation is not None:
                    print_relation(con, relation, arguments.format)
    except duckdb.Error as error:
        raise CommandError(f"The query failed: {error}") from error
    return 0


def _listed() -> Iterator[str]:
    for question in load_questions().values():
        yield f"{question.name}  ({question.asked_by})\n    {question.question}"
        yield from (f"    --set {name}=…  {text}" for name, text in question.parameters.items())


def _question(arguments: argparse.Namespace) -> Question | None:
    """The named question; None where SQL is to be run."""
    if not arguments.question:
        return None
    if arguments.query:
        raise CommandError("Give either SQL or --question, not both.")
    questions = load_questions()
    expect_known("question", arguments.question, questions, "--questions")
    return questions[arguments.question]


def _set_parameters(
    con: duckdb.DuckDBPyConnection, question: Question | None, words: Iterable[str]
) -> None:
    known = question.parameters if question else {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in known:
            names = ", ".join(known) or "none"
            raise CommandError(
                f"--set takes NAME=VALUE; the parameters of this question are: {names}."
            )
        con.execute(f"set variable {name} = {literal(value)}")


def _from_standard_input() -> str:
    if sys.stdin.isatty():
        print("Type SQL, then Ctrl-D. `show all tables` lists the tables.", file=sys.stderr)
    return sys.stdin.read()
