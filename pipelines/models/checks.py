"""Promises about the tables, checked in every run before anything is published."""

import duckdb

from pipelines.models.headers import Check, Model
from pipelines.models.parsing import literal
from pipelines.models.rows import fetch_rows

_MOST_SHOWN = 3


def finding_of(con: duckdb.DuckDBPyConnection, check: Check) -> str | None:
    """The promise with the first rows that break it; None where it holds."""
    rows = fetch_rows(con, f"select * from ({check.failing}) limit {_MOST_SHOWN}")
    if not rows:
        return None
    shown = [", ".join(f"{name} = {value}" for name, value in row.items()) for row in rows]
    return f"{check.description} Not so: {'; '.join(shown)}"


def checks_of(model: Model) -> list[Check]:
    """The model's own checks, and the ones every stored table has."""
    return [*model.checks, _columns(model), *_unique(model)]


def _columns(model: Model) -> Check:
    wanted = ", ".join(f"({literal(name)}, {literal(kind)})" for name, kind in model.types.items())
    return Check(
        "contract_columns",
        f"""
        select wanted.name, wanted.type, lower(stored.data_type) as stored
        from (values {wanted}) as wanted (name, type)
        left join duckdb_columns() as stored
            on stored.schema_name || '.' || stored.table_name = {literal(model.name)}
            and stored.column_name = wanted.name
        where lower(stored.data_type) is distinct from wanted.type
        """,
        sentence=f"{model.name} has the columns and types its file promises.",
    )


def _unique(model: Model) -> list[Check]:
    """One row per key, of those computed last; for other tables a header says how."""
    if model.schema != "marts":
        return []
    repeated = " union all ".join(
        f"select {model.grain}, count(*) as n from {model.name} where {scope} "
        "group by all having n > 1"
        for scope in model.scopes
    )
    sentence = f"{model.name} has one row per {model.grain}."
    return [Check("grain_is_unique", repeated, sentence=sentence)]
