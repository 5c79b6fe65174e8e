"""One SQL file of ``warehouse/``: its path is the table's name, its first comment is its header.

A stored table lies in ``raw/``, ``core/``, ``marts/`` or ``ops/``. A step lies in ``steps/``: a
temporary relation of one batch, which goes by its file's name alone. What Python hands to the
steps is described in ``inputs/``. A header may hold:

    description:  one sentence
    grain:        what one row stands for, the columns of its key
    materialized: table         computed anew as a whole
                  incremental   rows whose keys changed are deleted (delete_by) and inserted anew
                  python        filled by Python; the file is only a header
                  temporary     a step, gone with the connection
                  view          a step that is not stored
    delete_by:    {column: relation}, the rows an incremental table deletes: those whose column is
                  in the relation; more than one where a row has more than one key
    depends_on:   [name], what a table that Python fills is computed from: tables (raw.pushes), and
                  sources (landing/yunpian, landing/sends)
    reads:        previous      a step that reads stored tables as they were before the batch
    export:       file | day(column) | hive(event time, time of first reception)
    private:      columns with a mobile
    free_text:    columns with the words of others; what looks like a phone number is struck out
    fragments:    columns with what nobody could read; long runs of digits are struck out
    columns:      every column, in order: type -- comment
    checks:       name, failing (a query for the rows that break it), severity (fail or warn)
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from contract.errors import UserError

SCHEMAS = ("raw", "core", "marts", "ops")
WAREHOUSE = Path(__file__).resolve().parents[2] / "warehouse"

_HEADER = re.compile(r"\s*/\*(?P<header>.*?)\*/\s*(?P<sql>.*)", re.DOTALL)
_EXPORT = re.compile(r"(?P<layout>file|day|hive)(?:\((?P<columns>[a-z_, ]+)\))?")


class ModelError(UserError):
    """A file in ``warehouse/`` is not as its room demands; the message names it."""


@dataclass(frozen=True, slots=True)
class Check:
    """A promise about a table: the query returns the rows that break it."""

    name: str
    failing: str
    severity: Literal["fail", "warn"] = "fail"


@dataclass(frozen=True, slots=True)
class Export:
    """How a table lies in Parquet: one file, a file a day, or files of a day by reception."""

    layout: Literal["file", "day", "hive"]
    columns: tuple[str, ...] = ()

    @property
    def part(self) -> str:
        """Two SQL expressions: the day and the minute by which a row belongs to a data file."""
        day = f"{self.columns[0]}::date" if self.columns else "null::date"
        minute = f"date_trunc('minute', {self.columns[1]})" if self.layout == "hive" else "null"
        return f"{day} as part_day, {minute}::timestamp as from_minute_utc"


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
    materialized: Literal["table", "incremental", "python", "temporary", "view"]
    folder: str = ""
    """Where its file lies below ``warehouse/``."""
    delete_by: dict[str, str] = field(default_factory=dict)
    """Relations of keys by the column whose rows are replaced."""
    depends_on: tuple[str, ...] = ()
    """Tables and sources that Python fills the table from."""
    reads: Literal["current", "previous"] = "current"
    """Which state of the stored tables a step reads."""
    columns: dict[str, Column] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    export: Export | None = None
    private: tuple[str, ...] = ()
    free_text: tuple[str, ...] = ()
    fragments: tuple[str, ...] = ()

    @property
    def schema(self) -> str:
        """Schema of a stored table: raw, core, marts or ops; empty for a step."""
        return self.name.rpartition(".")[0]

    @property
    def table(self) -> str:
        """Name without the schema."""
        return self.name.rpartition(".")[2]

    @property
    def path(self) -> Path:
        """Its file."""
        return WAREHOUSE / self.folder / f"{self.table}.sql"

    @property
    def types(self) -> dict[str, str]:
        """Type of each column, in order."""
        return {name: column.type for name, column in self.columns.items()}

    @property
    def temporary(self) -> bool:
        """Whether the model is a step within one batch."""
        return self.materialized in ("temporary", "view")

    @property
    def is_computed(self) -> bool:
        """Whether it is a stored table that its SELECT fills."""
        return bool(self.sql) and not self.temporary

    @property
    def struck(self) -> tuple[str, ...]:
        """Columns that readers do not get as they stand here."""
        return (*self.private, *self.free_text, *self.fragments)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Conditions on the rows that a refresh replaces; one by one, so that each can prune."""
        keys = self.delete_by.items()
        return tuple(f"{column} in (from {relation})" for column, relation in keys) or ("true",)


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


def read_model(path: Path, root: Path | None = None) -> Model:
    """Read one SQL file. Raises ModelError where its header is missing or wrong."""
    root = root or WAREHOUSE
    folder = path.relative_to(root).parent.as_posix()
    name = f"{folder}.{path.stem}" if folder in SCHEMAS else path.stem
    try:
        match = _HEADER.fullmatch(path.read_text(encoding="utf-8"))
        if not match:
            raise ModelError("does not begin with a /* header */")  # noqa: TRY301  every fault of a file ends alike
        header: dict[str, Any] = yaml.load(match["header"], Loader=yaml.CSafeLoader)
        return Model(
            name=name,
            sql=match["sql"].strip(),
            description=header.pop("description"),
            grain=header.pop("grain"),
            materialized=header.pop("materialized"),
            folder=folder,
            columns=_columns(header.pop("columns", {})),
            checks=tuple(Check(**check) for check in header.pop("checks", ())),
            depends_on=tuple(header.pop("depends_on", ())),
            export=_export(header.pop("export", None)),
            private=tuple(header.pop("private", ())),
            free_text=tuple(header.pop("free_text", ())),
            fragments=tuple(header.pop("fragments", ())),
            **header,
        )
    except (ModelError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ModelError(f"{path}: {error}; see pipelines/models/headers.py") from error
