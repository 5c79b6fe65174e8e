"""The SQL files of ``warehouse/``: read, described, created, refreshed.

A file is a table: its path is the table's name, its first comment (YAML) says what it is.
This module knows no table by name. What a header may hold:

    description: one sentence
    grain:       what one row stands for, the columns of its key
    refresh:     filled                  a table that Python fills; the file is its header
                 temporary               a step of one slice, gone with the connection
                 all                     computed anew as a whole
                 <column> in <touched>   rows of the touched keys are replaced
    export:      file | day(column) | hive(event time, time of first reception)
    private:     columns with a mobile;  private_text: columns with text that may hold one
    columns:     every column, in order: type -- comment
    checks:      name, failing (a query for the rows that break it), severity (fail or warn)
"""

import graphlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import duckdb
import yaml
from duckdb.sqltypes import VARCHAR

WAREHOUSE = Path(__file__).resolve().parent.parent / "warehouse"
SCHEMAS = ("raw", "core", "marts", "ops")

_HEADER = re.compile(r"\s*/\*(?P<header>.*?)\*/\s*(?P<sql>.*)", re.DOTALL)
_EXPORT = re.compile(r"(?P<layout>file|day|hive)(?:\((?P<columns>[a-z_, ]+)\))?")
_READS = re.compile(r"\b(?:from|join)\s+([a-z_]+(?:\.[a-z_]+)?)")
_TOUCHED = re.compile(r"(?P<column>[a-z_]+) in (?P<relation>[a-z_]+)")


class ModelError(ValueError):
    """A file in ``warehouse/`` is not as its room demands; the message names it."""


@dataclass(frozen=True, slots=True)
class Check:
    """A promise about a table: the query returns the rows that break it."""

    name: str
    failing: str
    severity: Literal["fail", "warn"] = "fail"


@dataclass(frozen=True, slots=True)
class Export:
    """How a table lies in Parquet: one file, a file a day, or parts of a day by reception."""

    layout: Literal["file", "day", "hive"]
    columns: tuple[str, ...] = ()

    @property
    def part(self) -> str:
        """Two SQL expressions, the day and the hour of the part a row belongs to."""
        day = f"{self.columns[0]}::date" if self.columns else "null::date"
        hour = f"date_trunc('hour', {self.columns[1]})" if self.layout == "hive" else "null"
        return f"{day} as part_day, {hour}::timestamp as part_hour_utc"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a stored table: its pinned type and what it means."""

    type: str
    comment: str


@dataclass(frozen=True, slots=True)
class Model:
    """One SQL file."""

    name: str
    sql: str
    description: str
    grain: str
    refresh: str
    columns: dict[str, Column] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    export: Export | None = None
    private: tuple[str, ...] = ()
    private_text: tuple[str, ...] = ()

    @property
    def schema(self) -> str:
        """Room of the model: raw, core, marts or ops."""
        return self.name.partition(".")[0]

    @property
    def table(self) -> str:
        """Name without the schema."""
        return self.name.partition(".")[2]

    @property
    def temporary(self) -> bool:
        """Whether the model is a step within one slice."""
        return self.refresh == "temporary"

    @property
    def relation(self) -> str:
        """Name the model goes by in SQL; a temporary one has no schema."""
        return self.table if self.temporary else self.name

    @property
    def scope(self) -> str:
        """Condition on the rows that a refresh replaces."""
        match = _TOUCHED.fullmatch(self.refresh)
        return f"{match['column']} in (from {match['relation']})" if match else "true"


def _export(text: str | None) -> Export | None:
    if text is None:
        return None
    match = _EXPORT.fullmatch(text)
    if not match:
        raise ModelError(f"export takes file, day(column) or hive(column, column), not {text!r}")
    columns = tuple(part.strip() for part in (match["columns"] or "").split(",") if part.strip())
    return Export(layout=match["layout"], columns=columns)  # type: ignore[arg-type]


def _columns(lines: dict[str, str]) -> dict[str, Column]:
    columns = {}
    for name, line in lines.items():
        kind, separator, comment = line.partition(" -- ")
        if not separator or not comment:
            raise ModelError(f"column {name} takes 'type -- comment', not {line!r}")
        columns[name] = Column(kind, comment)
    return columns


def read_model(path: Path, root: Path = WAREHOUSE) -> Model:
    """Read one SQL file. Raises ModelError where its header is missing or wrong."""
    name = ".".join(path.relative_to(root).with_suffix("").parts)
    try:
        match = _HEADER.fullmatch(path.read_text(encoding="utf-8"))
        if not match:
            raise ModelError("begins with no /* header */")  # noqa: TRY301  all faults of a file end alike
        header: dict[str, Any] = yaml.safe_load(match["header"])
        return Model(
            name=name,
            sql=match["sql"].strip(),
            description=header.pop("description"),
            grain=header.pop("grain"),
            refresh=header.pop("refresh"),
            columns=_columns(header.pop("columns", {})),
            checks=tuple(Check(**check) for check in header.pop("checks", ())),
            export=_export(header.pop("export", None)),
            private=tuple(header.pop("private", ())),
            private_text=tuple(header.pop("private_text", ())),
            **header,
        )
    except (ModelError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ModelError(f"{path}: {error}; see pipelines/models.py for the header") from error


@cache
def _read_by() -> dict[str, frozenset[str]]:
    """For each model the models its SQL reads from."""
    found = [
        read_model(path)
        for schema in SCHEMAS
        for path in sorted((WAREHOUSE / schema).glob("*.sql"))
    ]
    by_relation = {model.relation: model.name for model in found}
    return {
        model.name: frozenset(
            by_relation[name] for name in _READS.findall(model.sql) if name in by_relation
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
        f"{model.name} {model.columns} {model.sql}"
        for model in load_models().values()
        if model.export
    )
    return sha256(text.encode()).hexdigest()[:12]


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def define_functions(con: duckdb.DuckDBPyConnection) -> None:
    """Define the SQL functions of ``warehouse/functions`` for this connection, and nfkc()."""
    con.create_function("nfkc", _nfkc, [VARCHAR], VARCHAR)
    for path in sorted(WAREHOUSE.glob("functions/*.sql")):
        con.execute(path.read_text(encoding="utf-8"))


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
        con.execute(f"create or replace temp table {model.relation} as {model.sql}")


def refresh(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Replace the rows of the touched keys, or all; what was and what comes is marked stale."""
    mark_stale(con, model, model.scope)
    con.execute(f"delete from {model.name} where {model.scope}")
    con.execute(f"insert into {model.name} by name {model.sql}")
    mark_stale(con, model, model.scope)


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
