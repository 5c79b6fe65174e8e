"""What each stored table was computed by, as a digest of its meaning.

A digest covers the table's columns, its SQL and that of the steps before it, the functions and
reference files they use, and the settings they ask for. SQL counts as a syntax tree, Python as one
without comments, docstrings and imports: a reworded comment changes no digest. What other stored
tables hold is no part of it; the graph of the models says what follows from what.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path

import duckdb

from pipelines import models
from pipelines.models import Model
from pipelines.models.parsing import Query, parse

_ROOT = Path(__file__).resolve().parents[2]
_DIGITS = 12
FORMAT_1 = "format 1"
"""Stands for the rules of a data folder of format 1, where those of today give something else."""
_DECODING = ("new_pushes", "new_records", "new_rejects", "slow_path_bodies")
"""The steps at which landed bytes have become records and rejects."""
_DECODING_ROOT = "pipelines.decode.slow_path"
"""Decides, with what it imports, what a pushed body becomes where SQL does not."""
_SENDS = ("read_sends", "json_sends")
_SENDS_ROOT = "pipelines.sends.rows"
_PLUMBING = frozenset({"pipelines.models", "pipelines.models.rows", "pipelines.landing.admission"})
"""Imported, but decides nothing about a row."""


@dataclass(frozen=True, slots=True)
class Digests:
    """Digests under some settings."""

    variables: dict[str, str]
    """Values of the SQL variables that decide what a row becomes."""
    _known: dict[str, str] = field(default_factory=dict, compare=False)

    def of(self, model: Model) -> str:
        """Digest of a stored table."""
        if model.name not in self._known:
            columns = [(name, one.type) for name, one in model.columns.items()]
            self._known[model.name] = self._digest(
                [f"{columns} {model.delete_by}"], [model.name, *_steps_before(model)]
            )
        return self._known[model.name]

    def decoding(self) -> str:
        """Digest of all that decides what a landed byte becomes."""
        return self._digest([python_meaning(_DECODING_ROOT)], _closure(_DECODING))

    def reading_sends(self) -> str:
        """Digest of all that decides what a row of the send log becomes."""
        return self._digest([python_meaning(_SENDS_ROOT)], _closure(_SENDS))

    def _digest(self, texts: Iterable[str], names: Iterable[str]) -> str:
        every = models.load_models()
        queries = [models.query_of(every[name]) for name in names]
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
    asked = ", ".join(f"getvariable('{name}')" for name in names)
    return Digests(dict(zip(names, con.execute(f"select {asked}").fetchall()[0], strict=True)))


def meaning_of(sql: str) -> str:
    """What a SELECT and our SQL functions in it mean, as text that no comment changes."""
    query = parse(sql)
    return "\n".join([query.meaning, *(each.meaning for each in _functions_of([query]))])


def _steps_before(model: Model) -> list[str]:
    """Temporary steps between a table and the stored ones; how bytes are decoded is no part."""
    roots = ("repetitions",) if model.name == "core.repeated_reports" else ()
    steps = _closure((model.name, *roots))
    every = models.load_models()
    left_out = ("steps/decode", "steps/ledger")
    return [name for name in steps if every[name].folder not in left_out or name in roots]


@cache
def _closure(names: tuple[str, ...]) -> tuple[str, ...]:
    """These models and every temporary step they read, near or far."""
    every = models.load_models()
    steps = {name for name, model in every.items() if model.temporary}
    found, open_ = set(names), list(names)
    while open_:
        fresh = models.query_of(every[open_.pop()]).tables & steps - found
        found |= fresh
        open_ += fresh
    return tuple(sorted(found))


def _functions_of(queries: Iterable[Query]) -> Iterator[Query]:
    """Our SQL functions that the queries use, near or far."""
    every, found = _functions(), set[str]()
    open_ = {name for query in queries for name in query.functions}
    while open_ := (open_ & every.keys()) - found:
        found |= open_
        yield from (every[name] for name in sorted(open_))
        open_ = {name for known in open_ for name in every[known].functions}


@cache
def _functions() -> dict[str, Query]:
    """Each function of ``warehouse/functions`` with its parameters and its body, parsed."""
    with duckdb.connect() as con:
        models.define_functions(con)
        rows = con.execute(
            """
            select function_name, parameters, macro_definition
            from duckdb_functions()
            where function_type = 'macro' and not internal
            """
        ).fetchall()
    return {
        name: parse(f"select {models.literal(' '.join(parameters))}, {definition}")
        for name, parameters, definition in rows
    }


@cache
def _reference_tables() -> frozenset[str]:
    return frozenset(
        f"reference.{path.stem}" for path in (models.WAREHOUSE / "reference").glob("*.csv")
    )


@cache
def _reference_digest(table: str) -> str:
    path = models.WAREHOUSE / "reference" / f"{table.partition('.')[2]}.csv"
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


@cache
def python_meaning(module: str) -> str:
    """Syntax trees of a module and of ours that it imports, without what changes no result."""
    found, open_, trees = {module}, [module], []
    while open_:
        tree = ast.parse(_source(open_.pop()).read_text(encoding="utf-8"))
        ours = {name for name in _imports(tree) if _source(name).is_file()}
        fresh = ours - found - _PLUMBING
        found |= fresh
        open_ += fresh
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
