"""The SQL files of ``warehouse/``: read, created as tables, described, refreshed.

This module knows no table by name; ``headers.py`` says what a file tells of itself.
"""

import graphlib
import unicodedata
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import Literal

import duckdb
from duckdb.sqltypes import VARCHAR
from pydantic import ByteSize, TypeAdapter

from pipelines.models.headers import WAREHOUSE, Model, ModelError, read_model
from pipelines.models.parsing import Query, SqlError, parse

SCHEMAS = ("raw", "core", "marts", "ops")


@cache
def _read_by() -> dict[str, frozenset[str]]:
    """For each model the models it follows from; what was there before a batch is no part of it."""
    found = _files()
    return {
        name: frozenset(
            other
            for other in query_of(model).tables & found.keys()
            if found[other].temporary or model.reads == "current"
        )
        for name, model in found.items()
    }


@cache
def _files() -> dict[str, Model]:
    """Every model by its name, in no order that matters."""
    folders = (
        *(WAREHOUSE / schema for schema in SCHEMAS),
        *sorted((WAREHOUSE / "steps").iterdir()),
    )
    paths = [path for folder in folders for path in sorted(folder.glob("*.sql"))]
    return {model.name: model for model in (read_model(path, WAREHOUSE) for path in paths)}


def query_of(model: Model) -> Query:
    """The model's SELECT, parsed; of a table that Python fills an empty one.

    Raises ModelError where it cannot be parsed.
    """
    try:
        return parse(model.sql or "select null")
    except SqlError as error:
        path = WAREHOUSE / model.folder / f"{model.table}.sql"
        raise ModelError(f"{path}: {error}") from error


@cache
def load_models() -> dict[str, Model]:
    """All models, each after those it reads from; ModelError where they read in a circle."""
    try:
        order = list(graphlib.TopologicalSorter(_read_by()).static_order())
    except graphlib.CycleError as error:
        circle = " reads ".join(reversed(error.args[1]))
        raise ModelError(f"{WAREHOUSE}: models read each other in a circle: {circle}") from error
    return {name: _files()[name] for name in order}


@cache
def dependencies() -> dict[str, frozenset[str]]:
    """For each stored model the stored ones it is computed from, temporary steps looked through."""
    models = load_models()
    seen: dict[str, frozenset[str]] = {}
    for name in models:
        direct = _read_by()[name]
        stored = frozenset(one for one in direct if not models[one].temporary)
        seen[name] = stored.union(*(seen[one] for one in direct if models[one].temporary))
    return {name: found for name, found in seen.items() if not models[name].temporary}


@cache
def schema_version() -> str:
    """Digest over what readers see of each published table: its columns, types and masks."""
    text = "\n".join(
        f"{model.name} {[(name, one.type) for name, one in model.columns.items()]} "
        f"{model.private} {model.free_text} {model.fragments} {model.export}"
        for model in sorted(load_models().values(), key=lambda model: model.name)
        if model.export
    )
    return sha256(text.encode()).hexdigest()[:12]


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _text_sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def define_functions(con: duckdb.DuckDBPyConnection) -> None:
    """Define the SQL functions of ``warehouse/functions`` for this connection.

    Two come from Python: nfkc(), which DuckDB lacks, and text_sha256(), for DuckDB's own does not
    use what processors have for it and takes three times as long.
    """
    con.create_function("nfkc", _nfkc, [VARCHAR], VARCHAR)
    con.create_function("text_sha256", _text_sha256, [VARCHAR], VARCHAR)
    for path in sorted(WAREHOUSE.glob("functions/*.sql")):
        con.execute(path.read_text(encoding="utf-8"))


def publish_functions(con: duckdb.DuckDBPyConnection) -> None:
    """Create the functions that readers may use, too, where the connection's tables are."""
    for path in sorted(WAREHOUSE.glob("functions/*.sql")):
        text = path.read_text(encoding="utf-8")
        if "\npublished:" in text:
            con.execute(text.replace("create or replace temp macro", "create macro"))


def bring_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create what is not there, let columns come and go, drop tables whose file is gone.

    What stands in a table that changed is computed again later (``recompute.py``). Raises
    ModelError where a column would come or go of which only landed files know the values.
    """
    existing = _existing(con)
    for model in load_models().values():
        if model.temporary:
            continue
        columns = {name: one.type for name, one in model.columns.items()}
        if model.name not in existing:
            _create(con, model)
        elif existing[model.name] != columns:
            _change_columns(con, model, existing[model.name], columns)
    for name in _forgotten(con, existing):
        con.execute(f"drop table {name}")
        con.execute("delete from ops.models where model = ?", [name])


def _create(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    columns = ", ".join(f'"{name}" {one.type}' for name, one in model.columns.items())
    con.execute(f"create schema if not exists {model.schema}")
    con.execute(f"create table {model.name} ({columns})")
    comment(con, "table", model)


def _change_columns(
    con: duckdb.DuckDBPyConnection, model: Model, there: dict[str, str], wanted: dict[str, str]
) -> None:
    differing = {
        name for name in there.keys() | wanted.keys() if there.get(name) != wanted.get(name)
    }
    if model.schema == "marts" or model.materialized == "table":
        con.execute(f"drop table {model.name}")
        _create(con, model)
        return
    if kept := sorted(differing & _read_back(model)):
        raise ModelError(
            f"column {', '.join(kept)} of {model.name} holds what was reported, which only the "
            "landed files can give again"
        )
    for name in sorted(differing & there.keys() - wanted.keys()):
        con.execute(f'alter table {model.name} drop column "{name}"')
    for name in sorted(differing & wanted.keys()):
        change = f'alter column "{name}" type' if name in there else f'add column "{name}"'
        con.execute(f"alter table {model.name} {change} {wanted[name]}")
    comment(con, "table", model)


def _read_back(model: Model) -> set[str]:
    """Columns of a table of ``core`` out of which a slice takes what was reported before it."""
    steps = [query_of(step) for step in load_models().values() if step.reads == "previous"]
    readers = [step for step in steps if model.schema == "core" and model.name in step.tables]
    return {column for step in readers for column in step.columns}


def _forgotten(con: duckdb.DuckDBPyConnection, existing: dict[str, dict[str, str]]) -> list[str]:
    """Tables that a model filled whose file is no longer there."""
    if "ops.models" not in existing:
        return []
    noted = {name for (name,) in con.execute("select model from ops.models").fetchall()}
    return sorted(noted & existing.keys() - load_models().keys())


def _existing(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Columns and their types of each table that is there."""
    rows = con.execute(
        """
        select schema_name || '.' || table_name, column_name, lower(data_type)
        from duckdb_columns()
        where database_name = current_database()
        """
    ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        tables.setdefault(table, {})[column] = kind
    return tables


def memory_limit(con: duckdb.DuckDBPyConnection) -> int:
    """Bytes of memory the engine may use: the setting, or its own choice."""
    text = con.execute("select current_setting('memory_limit')").fetchall()[0][0]
    return TypeAdapter(ByteSize).validate_python(text.replace("bytes", "B"))


def comment(con: duckdb.DuckDBPyConnection, kind: Literal["table", "view"], model: Model) -> None:
    """Put the header's words on a table or view and its columns."""
    con.execute(f"comment on {kind} {model.name} is {literal(model.description)}")
    for name, column in model.columns.items():
        con.execute(f'comment on column {model.name}."{name}" is {literal(column.comment)}')


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def run_temporary(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Compute steps of a slice, in the order given."""
    for name in names:
        model = load_models()[name]
        kind = "view" if model.materialized == "view" else "table"
        con.execute(f"create or replace temp {kind} {model.name} as {model.sql}")


def refresh(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Replace the rows of the touched keys, or all; what was and what comes is marked stale."""
    for scope in model.scopes:
        mark_stale(con, model, scope)
    replace(con, model)
    for scope in model.scopes:
        mark_stale(con, model, scope)


def replace(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Replace the rows of the touched keys, or all; whoever calls marks what is stale."""
    for scope in model.scopes:
        con.execute(f"delete from {model.name} where {scope}")
    con.execute(f"insert into {model.name} by name {model.sql}")


def mark_stale(con: duckdb.DuckDBPyConnection, model: Model, scope: str) -> None:
    """Remember that the exported parts of the rows in ``scope`` must be written again."""
    if model.export is None:
        return
    con.execute(
        f"""
        insert into ops.stale_parts
        select distinct {literal(model.name)}, {model.export.part} from {model.name} where {scope}
        except
        from ops.stale_parts
        """
    )
