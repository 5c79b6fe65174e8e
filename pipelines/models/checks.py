"""Promises about the tables, checked in every run before anything is published."""

from dataclasses import dataclass
from typing import Literal

import duckdb

from pipelines.models.headers import Model
from pipelines.models.parsing import literal

_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a promise holds, and which rows break it if not."""

    passed: bool
    finding: str | None


@dataclass(frozen=True, slots=True)
class TableCheck:
    """One promise; ``failing`` is a query for the rows that break it."""

    name: str
    description: str
    failing: str
    severity: Literal["fail", "warn"] = "fail"

    def run(self, con: duckdb.DuckDBPyConnection) -> Outcome:
        """Look for rows that break the promise."""
        cursor = con.execute(f"select * from ({self.failing}) limit {_MOST_SHOWN}")
        names = [column[0] for column in cursor.description or ()]
        rows = cursor.fetchall()
        if not rows:
            return Outcome(passed=True, finding=None)
        shown = "; ".join(
            ", ".join(f"{name} = {value}" for name, value in zip(names, row, strict=True))
            for row in rows
        )
        return Outcome(passed=False, finding=f"{self.description} Not so: {shown}")


def checks_of(model: Model) -> list[TableCheck]:
    """The model's own checks, and the ones every stored table has."""
    own = [
        TableCheck(check.name, f"{check.name.replace('_', ' ')}.", check.failing, check.severity)
        for check in model.checks
    ]
    return [*own, _columns(model), *_unique(model)]


def _columns(model: Model) -> TableCheck:
    wanted = ", ".join(
        f"({literal(name)}, {literal(column.type)})" for name, column in model.columns.items()
    )
    return TableCheck(
        "contract_columns",
        f"{model.name} has the columns and types its file promises.",
        f"""
        select wanted.name, wanted.type, lower(found.data_type) as found
        from (values {wanted}) as wanted (name, type)
        left join duckdb_columns() as found
            on found.schema_name || '.' || found.table_name = {literal(model.name)}
            and found.column_name = wanted.name
        where lower(found.data_type) is distinct from wanted.type
        """,
    )


def _unique(model: Model) -> list[TableCheck]:
    """One row per key, of those computed last; for other tables a header says how."""
    if model.schema != "marts":
        return []
    repeated = " union all ".join(
        f"select {model.grain}, count(*) as n from {model.name} where {scope} "
        "group by all having n > 1"
        for scope in model.scopes
    )
    return [TableCheck("grain_is_unique", f"{model.name} has one row per {model.grain}.", repeated)]
