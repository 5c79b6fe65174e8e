"""What each stored table was computed by, as a digest of its meaning.

A digest covers the table's columns, its SQL and that of the steps before it, the functions and
reference files they use, and the settings they ask for. SQL counts as a syntax tree, Python as one
without comments, docstrings and imports: a reworded comment changes no digest. What other stored
tables hold is no part of it; the graph of the models says what follows from what.

SQL and Python may also change and still compute the same rows. ``equal_digests.csv`` lists such
digests; `python -m tools.equal_digests` keeps it. They are those of the default settings: under
others a digest that depends on them is not in the list, and its table is computed again once.
"""

import ast
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path

import duckdb

from pipelines.models.catalog import closure, load_models, query_of
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
        return self._digest([columns], [name, *_steps_before(model)])

    def _reading(self, what: str) -> str:
        folder, module = _READERS[what]
        steps = tuple(name for name, model in load_models().items() if model.folder == folder)
        return self._digest([python_meaning(module)], closure(steps))

    def _digest(self, texts: Iterable[str], names: Iterable[str]) -> str:
        queries = [query_of(load_models()[name]) for name in names]
        parts = {*texts, *(query.meaning for query in queries)}
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


def _steps_before(model: Model) -> list[str]:
    """Temporary steps between a table and the stored ones; how bytes are decoded is no part.

    Of the ledger's steps those are, which read the table: they are brought up to date with it.
    """
    every = load_models()
    ledger = [name for name, step in every.items() if step.folder == "steps/ledger"]
    readers = [name for name in ledger if model.name in query_of(every[name]).tables]
    left_out = {_READERS[DECODING][0], "steps/ledger"}
    steps = closure((model.name, *readers))
    return [name for name in steps if every[name].folder not in left_out or name in readers]


def _functions_of(queries: Iterable[Query]) -> Iterator[Query]:
    """Our SQL functions that the queries use, near or far."""
    every, seen = _functions(), set[str]()
    names = {name for query in queries for name in query.functions}
    while names := (names & every.keys()) - seen:
        seen |= names
        yield from (every[name] for name in sorted(names))
        names = {inner for name in names for inner in every[name].functions}


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
    path = WAREHOUSE / "reference" / f"{table.partition('.')[2]}.csv"
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


@cache
def python_meaning(module: str) -> str:
    """Syntax trees of a module and what it imports of _ROOMS, without what changes no result."""
    seen, queue, trees = {module}, [module], []
    while queue:
        tree = ast.parse(_source(queue.pop()).read_text(encoding="utf-8"))
        ours = {name for name in _imports(tree) if name.startswith(_ROOMS)}
        fresh = {name for name in ours if _source(name).is_file()} - seen
        seen |= fresh
        queue += fresh
        trees.append(ast.dump(_Bare().visit(tree)))
    return "\n".join(sorted(trees))


def _source(module: str) -> Path:
    return _ROOT / f"{module.replace('.', '/')}.py"


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


class _Bare(ast.NodeTransformer):
    """Leaves out imports, and texts that stand for themselves: docstrings, and words on fields."""

    def visit_Import(self, node: ast.Import) -> None:
        """Leave it out."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Leave it out."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """Leave it out where it is a text alone."""
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else node
