"""One SQL file of ``warehouse/``: its path is its name, its first comment is its header.

A stored table lies in ``raw/``, ``core/``, ``marts/`` or ``ops/``; any other file goes by its name
alone. What a header may hold is written in ``warehouse/README.md``.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, ConfigDict, ValidationError
from pydantic.dataclasses import dataclass as validated

from contract.errors import UserError

SCHEMAS = ("raw", "core", "marts", "ops")
WAREHOUSE = Path(__file__).resolve().parents[2] / "warehouse"

_FILE = re.compile(r"\s*/\*(?P<header>.*?)\*/\s*(?P<sql>.*)", re.DOTALL)
_EXPORT = re.compile(r"(?P<layout>file|day|hive)(?:\((?P<columns>[a-z_, ]+)\))?")


class ModelError(UserError):
    """A file in ``warehouse/`` is not as its room demands; the message names it."""


@dataclass(frozen=True, slots=True)
class Check:
    """A promise about a table: the query returns the rows that break it."""

    name: str
    failing: str
    severity: Literal["fail", "warn"] = "fail"
    sentence: str = ""
    """What is promised; by default the name in words."""

    @property
    def description(self) -> str:
        """What is promised, for people."""
        return self.sentence or f"{self.name.replace('_', ' ')}."


@dataclass(frozen=True, slots=True)
class Export:
    """How a table lies in Parquet: one file, a file a day, or files of a day by reception."""

    layout: Literal["file", "day", "hive"]
    columns: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Export":
        """Read what a header says; raises ValueError."""
        match = _EXPORT.fullmatch(text)
        if not match:
            raise ValueError(f"takes file, day(column) or hive(column, column), not {text!r}")
        columns = re.findall(r"[a-z_]+", match["columns"] or "")
        return cls(match["layout"], tuple(columns))  # type: ignore[arg-type]

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

    @classmethod
    def read(cls, line: object) -> "Column":
        """Read what a header says; raises ValueError."""
        kind, _, comment = str(line).partition(" -- ")
        if not comment:
            raise ValueError(f"takes 'type -- comment', not {line!r}")
        return cls(kind, comment)


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
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
    columns: dict[str, Annotated[Column, BeforeValidator(Column.read)]] = field(
        default_factory=dict
    )
    checks: tuple[Check, ...] = ()
    export: Annotated[Export, BeforeValidator(Export.read)] | None = None
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
    def scopes(self) -> tuple[str, ...]:
        """Conditions on the rows that a refresh replaces; one by one, so that each can prune."""
        keys = self.delete_by.items()
        return tuple(f"{column} in (from {relation})" for column, relation in keys) or ("true",)


def read_header(path: Path) -> tuple[dict[str, Any], str]:
    """Header and SQL of a file. Raises ModelError where it has no header."""
    match = _FILE.fullmatch(path.read_text(encoding="utf-8"))
    try:
        header = yaml.load(match["header"], Loader=yaml.CSafeLoader) if match else None
    except yaml.YAMLError as error:
        raise ModelError(f"{path}: {error}; see warehouse/README.md") from error
    if not match or not isinstance(header, dict):
        raise ModelError(f"{path} does not begin with a /* header */; see warehouse/README.md")
    return header, match["sql"].strip()


def read_model(path: Path, root: Path | None = None) -> Model:
    """Read one SQL file. Raises ModelError where its header is missing or wrong."""
    folder = path.relative_to(root or WAREHOUSE).parent.as_posix()
    name = f"{folder}.{path.stem}" if folder in SCHEMAS else path.stem
    header, sql = read_header(path)
    try:
        return Model(**(header | {"name": name, "sql": sql, "folder": folder}))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        message = problem["msg"].removeprefix("Value error, ")
        raise ModelError(f"{path}: {place}: {message}; see warehouse/README.md") from error
