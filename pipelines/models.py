"""The SQL files of ``warehouse/``: read, created as tables, described, refreshed.

This module knows no table by name; ``headers.py`` says what a file tells of itself.
"""

import graphlib
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import Literal

import duckdb
from duckdb.sqltypes import VARCHAR

from pipelines.headers import WAREHOUSE, Check, Column, Export, Model, ModelError, read_model

__all__ = ["WAREHOUSE", "Check", "Column", "Export", "Model", "ModelError", "read_model"]

SCHEMAS = ("raw", "core", "marts", "ops")

_READS = re.compile(r"\b(?:from|join)\s+([a-z_]+(?:\.[a-z_]+)?)")


@cache
def _read_by() -> dict[str, frozenset[str]]:
    """For each model the models it follows from; what was there before a slice is no part of it."""
    found = [
        read_model(path)
        for schema in SCHEMAS
        for path in sorted((WAREHOUSE / schema).glob("*.sql"))
    ]
    by_relation = {model.relation: model for model in found}
    return {
        model.name: frozenset(
            by_relation[name].name
            for name in _READS.findall(model.sql)
            if name in by_relation and (by_relation[name].temporary or model.refresh != "before")
        )
        for model in found
    }


@cache
def load_models() -> dict[str, Model]:
    """All models, each after the ones it reads from."""
    order = graphlib.TopologicalSorter(_read_by()).static_order()
    return {name: read_model(WAREHOUSE / f"{name.replace('.', '/')}.sql") for name in order}


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
    """Digest over the models that are exported; it changes when a reader may notice."""
    text = "\n".join(
        f"{model.name} {model.columns} {model.sql} {model.struck}"
        for model in load_models().values()
        if model.export
    )
    privacy = (WAREHOUSE / "functions" / "privacy.sql").read_text(encoding="utf-8")
    return sha256((text + privacy).encode()).hexdigest()[:12]


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


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create what is not there yet, with a comment on every table and column.

    Raises ModelError where a table is there with other columns than its file says.
    """
    existing = _existing(con)
    for model in load_models().values():
        if model.temporary:
            continue
        if model.name not in existing:
            columns = ", ".join(f'"{name}" {one.type}' for name, one in model.columns.items())
            con.execute(f"create schema if not exists {model.schema}")
            con.execute(f"create table {model.name} ({columns})")
            comment(con, "table", model)
        elif existing[model.name] != list(model.columns):
            raise ModelError(f"{model.name} was made by another version of its SQL file")


def _existing(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Columns, in order, of each table that is there."""
    rows = con.execute(
        """
        select schema_name || '.' || table_name, list(column_name order by column_index)
        from duckdb_columns()
        where database_name = current_database()
        group by all
        """
    ).fetchall()
    return dict(rows)


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
        kind = "view" if model.refresh == "view" else "table"
        con.execute(f"create or replace temp {kind} {model.relation} as {model.sql}")


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
