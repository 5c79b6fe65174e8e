"""`dlr model`: the models of `warehouse/` listed, tried alone, tested."""

import argparse
import sys
import textwrap

import duckdb

from cli.common import CommandError, expect_known
from cli.output import FORMATS, print_relation
from contract.settings import Settings, load_settings
from pipelines import models
from pipelines.models import Model
from pipelines.models.catalog import read_by
from pipelines.models.headers import SCHEMAS
from pipelines.models.preview import open_stored, prepare_preview, script_of, stored_tables
from pipelines.models.steps import rows_of
from pipelines.models.unit_tests import load_unit_tests, run_unit_test
from pipelines.models.warehouse import scratch_database, warehouse_path

_WIDTH = 80
_MOST_BYTES = 16 * 1024**2
"""Largest landed file that `show` decodes."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """List, show or test."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="every model: rows, grain, what it is computed from")
    show = actions.add_parser("show", help="run one model over the data at hand; changes nothing")
    show.add_argument("name", metavar="NAME", help="such as marts.delivery_daily or numbers")
    show.add_argument("--limit", type=int, default=20, metavar="N", help="most rows (20)")
    show.add_argument("--where", metavar="SQL", help="condition on the rows")
    show.add_argument("--sql", action="store_true", help="print the SQL as it runs instead")
    show.add_argument("--format", choices=FORMATS, default="table")
    test = actions.add_parser("test", help="run the unit tests that lie beside the models")
    test.add_argument("name", nargs="?", metavar="NAME", help="one model; all if left out")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked for."""
    if arguments.action == "list":
        _list(load_settings())
        return 0
    if arguments.name:
        expect_known("model", arguments.name, models.load_models(), "`dlr model list`")
    if arguments.action == "test":
        return _test(arguments.name)
    if arguments.sql:
        print(script_of(models.load_models()[arguments.name]))
    else:
        _show(arguments, load_settings())
    return 0


def _list(settings: Settings) -> None:
    rows = _row_counts(settings) if warehouse_path(settings).exists() else {}
    every = models.load_models().values()
    folders = [*SCHEMAS, *sorted({one.folder for one in every if one.temporary})]
    for model in sorted(every, key=lambda one: folders.index(one.folder)):
        count = f"{rows[model.name]:,} rows" if model.name in rows else ""
        print(f"{model.name:<40}{model.materialized:<12}{count:>28}".rstrip())
        sources = models.dependencies().get(model.name) or read_by()[model.name]
        for label, text in (("grain", model.grain), ("from", ", ".join(sorted(sources)))):
            if text:
                indent = " " * 11
                print(textwrap.fill(f"{'':4}{label:<7}{text}", _WIDTH, subsequent_indent=indent))


def _row_counts(settings: Settings) -> dict[str, int]:
    with open_stored(settings) as con:
        counts = [f"select '{name}', count(*) from {name}" for name in stored_tables(con)]
        return dict(con.execute(" union all ".join(counts)).fetchall())


def _show(arguments: argparse.Namespace, settings: Settings) -> None:
    model = models.load_models()[arguments.name]
    over_files = {"steps/decode": _decode_landed, "steps/send_files": _read_sends}
    try:
        if model.folder in over_files:
            with scratch_database(settings) as con:
                over_files[model.folder](con, settings, model)
                _print_rows(con, f"from {model.name}", arguments)
            return
        with open_stored(settings) as con:
            for name in prepare_preview(con, model):
                _note(f"{name} is outdated; its rows are those of the last run.")
            _print_rows(con, rows_of(model), arguments)
    except duckdb.Error as error:
        raise CommandError(f"{model.name} cannot be shown: {error}") from error


def _print_rows(con: duckdb.DuckDBPyConnection, query: str, arguments: argparse.Namespace) -> None:
    where = f"where {arguments.where}" if arguments.where else ""
    limited = f"select * from ({query}) {where} order by all limit {arguments.limit}"
    print_relation(con, con.sql(limited), arguments.format)


def _decode_landed(con: duckdb.DuckDBPyConnection, settings: Settings, model: Model) -> None:
    """Decode the newest landed file, as if nothing had been taken before."""
    from pipelines.decode.decoding import decode, read_lines
    from pipelines.landing.inventory import list_landed

    names = [
        file.name
        for file in list_landed(settings.landing)
        if file.name.endswith(".jsonl") and file.size <= _MOST_BYTES
    ]
    if not names:
        raise CommandError(
            f"{model.name} is a step of decoding, and there is nothing to decode: "
            f"{settings.landing} holds no .jsonl file of at most {_MOST_BYTES // 1024**2} MiB."
        )
    newest = max(names)
    _note(f"Decoded from {newest}.")
    models.bring_tables(con)
    read_lines(con, settings.landing, [newest])
    decode(con)
    # those that nothing needed, because the file held nothing ambiguous
    models.run_temporary(con, (model.name,))


def _read_sends(con: duckdb.DuckDBPyConnection, settings: Settings, model: Model) -> None:
    """Read the newest file of the send log."""
    from pipelines.sends.files import list_sends
    from pipelines.sends.rows import read_rows

    files = list_sends(settings.sends)
    if not files:
        raise CommandError(f"{model.name} reads the send log, and {settings.sends} is empty.")
    newest = max(files, key=lambda file: file.changed_ns)
    _note(f"Read from {newest.name}.")
    # a file that is not JSON Lines has none
    models.run_temporary(con, ("send_lines",))
    if problems := read_rows(con, settings.sends, [newest.name]):
        raise CommandError(f"{newest.name} {problems[newest.name]}.")
    models.run_temporary(con, (model.name,))


def _test(name: str | None) -> int:
    failed = 0
    cases = [case for case in load_unit_tests() if name in (None, case.model)]
    if name and not cases:
        raise CommandError(f"{name} has no unit test; write one in warehouse, beside its SQL.")
    for case in cases:
        difference = run_unit_test(case)
        print(f"{'FAIL' if difference else 'ok  '}  {case.model}  {case.name}")
        if difference:
            failed += 1
            print(textwrap.indent(difference, "      "))
    print(f"{len(cases)} unit tests, {failed} failed.")
    return 1 if failed else 0


def _note(text: str) -> None:
    """Say on standard error what the rows come from; standard output holds the rows alone."""
    print(text, file=sys.stderr)
