"""What each stored table was computed by, as a digest of its meaning.

A digest covers the table's columns, its SQL and that of the steps before it, the functions and
reference files they use, and the settings they ask for. SQL counts as a syntax tree, Python as one
without comments, docstrings and imports. What other stored tables hold is no part of it.

``equal_digests.csv`` lists digests that compute the same rows (`python -m tools.equal_digests`),
under the default settings: under others a table that depends on them is computed again once.
"""

import ast
import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

import duckdb

from pipelines.folder.files import sha256_of
from pipelines.models.catalog import load_models, query_of, reach, steps_before
from pipelines.models.functions import define_functions
from pipelines.models.headers import WAREHOUSE, Model
from pipelines.models.parsing import Query, literal, parse, parser

EQUAL_DIGESTS = Path(__file__).with_name("equal_digests.csv")
DECODING, SENDS = "decoding", "sends"
"""What is digested beside the tables: what becomes of landed bytes, and of the send log's rows."""
FORMAT_1 = "format 1"
"""Stands for the rules of a data folder of format 1, where those of today give something else."""
_ROOT = Path(__file__).resolve().parents[2]
_DIGITS = 12
_READERS = {
    DECODING: ("steps/decode", "pipelines.decode.decoding"),
    SENDS: ("steps/send_files", "pipelines.sends.rows"),
}
"""Folder of the SQL, and Python module, that turn the bytes of files into rows."""
_ROOMS = ("pipelines.decode.", "pipelines.sends.")
"""Of what that module imports, modules of these rooms decide what a row becomes."""


@dataclass(frozen=True, slots=True)
class Digests:
    """Digests under some settings."""

    variables: dict[str, str]
    """Values of the SQL variables that decide what a row becomes."""
    _known: dict[str, str] = field(default_factory=dict, compare=False)

    def of(self, what: str) -> str:
        """Digest of a stored table, of DECODING or of SENDS."""
        if what not in self._known:
            self._known[what] = self._reading(what) if what in _READERS else self._table(what)
        return self._known[what]

    def accepted(self, what: str) -> list[str]:
        """Today's digest, and those of earlier versions that give the same rows."""
        listed = equal_digests().get(what, ())
        return list(listed) if self.of(what) in listed else [self.of(what)]

    def _table(self, name: str) -> str:
        model = load_models()[name]
        columns = f"{list(model.types.items())} {model.delete_by}"
        return self._digest([columns], [model, *_steps_of(model)])

    def _reading(self, what: str) -> str:
        folder, module = _READERS[what]
        steps = {name: model for name, model in load_models().items() if model.folder == folder}
        before = [step for step in steps_before(steps) if step.folder != "inputs"]
        return self._digest([python_meaning(module)], [*steps.values(), *before])

    def _digest(self, texts: Iterable[str], models: Iterable[Model]) -> str:
        queries = [query_of(model) for model in models]
        parts = set(texts)
        for query in [*queries, *_functions_of(queries)]:
            parts.add(query.meaning)
            parts.update(_reference_digest(name) for name in query.tables & _reference_tables())
            parts.update(
                f"{name} = {self.variables[name]}"
                for name in query.variables & self.variables.keys()
            )
        return sha256("\n".join(sorted(parts)).encode()).hexdigest()[:_DIGITS]


def digests_now(con: duckdb.DuckDBPyConnection) -> Digests:
    """The digests that hold now, under the variables of the warehouse's connection."""
    names = ("provider_timezone", "default_region", "sends_timezone")
    values = ", ".join(f"getvariable('{name}')" for name in names)
    return Digests(dict(zip(names, con.execute(f"select {values}").fetchall()[0], strict=True)))


def digested() -> list[str]:
    """Everything that has a digest which asks for work when it changes."""
    tables = [model.name for model in load_models().values() if model.is_computed]
    return [*sorted(tables), *_READERS]


@cache
def equal_digests() -> dict[str, tuple[str, ...]]:
    """For each table, DECODING and SENDS the digests that are known to give the same rows."""
    listed: dict[str, tuple[str, ...]] = {}
    with EQUAL_DIGESTS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            listed[row["what"]] = (*listed.get(row["what"], ()), row["digest"])
    return listed


def meaning_of(sql: str) -> str:
    """What a SELECT and our SQL functions in it mean, as text that no comment changes."""
    query = parse(sql)
    return "\n".join([query.meaning, *(each.meaning for each in _functions_of([query]))])


def _steps_of(model: Model) -> list[Model]:
    """Temporary steps between a table and the stored ones; how bytes are decoded is no part.

    Of the ledger's steps those are, which read the table: they are brought up to date with it.
    """
    readers = {
        name
        for name, step in load_models().items()
        if step.folder == "steps/ledger" and model.name in query_of(step).tables
    }
    left_out = {_READERS[DECODING][0], "steps/ledger", "inputs"}
    before = [step for step in steps_before({model.name, *readers}) if step.folder not in left_out]
    return [*before, *(load_models()[name] for name in readers)]


def _functions_of(queries: Iterable[Query]) -> list[Query]:
    """Our SQL functions that the queries use, near or far."""
    every = _functions()
    direct = {name for query in queries for name in query.functions & every.keys()}
    names = reach(direct, lambda name: every[name].functions & every.keys())
    return [every[name] for name in sorted(names)]


@cache
def _functions() -> dict[str, Query]:
    """Each function of ``warehouse/functions`` with its parameters and its body, parsed."""
    define_functions(parser())
    rows = (
        parser()
        .execute(
            """
            select function_name, parameters, macro_definition
            from duckdb_functions()
            where function_type = 'macro' and not internal
            """
        )
        .fetchall()
    )
    return {
        name: parse(f"select {literal(' '.join(parameters))}, {definition}")
        for name, parameters, definition in rows
    }


@cache
def _reference_tables() -> frozenset[str]:
    return frozenset(f"reference.{path.stem}" for path in (WAREHOUSE / "reference").glob("*.csv"))


@cache
def _reference_digest(table: str) -> str:
    return sha256_of(WAREHOUSE / f"{table.replace('.', '/')}.csv")


@cache
def python_meaning(module: str) -> str:
    """Syntax trees of a module and what it imports of _ROOMS, without what changes no result."""
    names = reach([module], lambda name: _read_module(name)[1])
    return "\n".join(sorted(_read_module(name)[0] for name in names))


@cache
def _read_module(module: str) -> tuple[str, frozenset[str]]:
    """Syntax tree of a module without imports and docstrings, and what it imports of _ROOMS."""
    tree = ast.parse(_source(module).read_text(encoding="utf-8"))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            origin = getattr(node, "module", None) or ""
            imported |= {origin, *(f"{origin}.{alias.name}".strip(".") for alias in node.names)}
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            body[:] = [part for part in body if not _is_no_code(part)]
    ours = {name for name in imported if name.startswith(_ROOMS) and _source(name).is_file()}
    return ast.dump(tree), frozenset(ours)


def _is_no_code(node: ast.stmt) -> bool:
    """Whether it is an import, or a text that stands for itself: a docstring, words on a field."""
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or isinstance(node, ast.Import | ast.ImportFrom)


def _source(module: str) -> Path:
    return _ROOT / f"{module.replace('.', '/')}.py"
