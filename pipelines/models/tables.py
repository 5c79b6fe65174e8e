"""The stored tables: created, changed with their files, described, dropped."""

from typing import Literal

import duckdb

from pipelines.models.catalog import load_models, query_of
from pipelines.models.headers import Model, ModelError
from pipelines.models.parsing import literal


def bring_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create missing tables, add and drop columns, drop tables whose file is gone.

    The rows of a table that changed are computed again later (``load/recompute.py``). Raises
    ModelError where a column would come or go whose values only the landed files know.
    """
    existing = _existing(con)
    for model in load_models().values():
        if not model.temporary and existing.get(model.name) != model.types:
            if model.name in existing:
                _change_columns(con, model, existing[model.name])
            else:
                create_table(con, model)
            comment(con, "table", model)
    for (name,) in con.execute("select model from ops.models").fetchall():
        if name in existing and name not in load_models():
            con.execute(f"drop table {name}")
            con.execute("delete from ops.models where model = ?", [name])


def create_table(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Create the table as its header says, empty."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in model.types.items())
    con.execute(f"create schema if not exists {model.schema}")
    con.execute(f"create table {model.name} ({columns})")


def _change_columns(con: duckdb.DuckDBPyConnection, model: Model, existing: dict[str, str]) -> None:
    wanted = model.types
    if model.schema == "marts" or model.materialized == "table":
        con.execute(f"drop table {model.name}")
        create_table(con, model)
        return
    names = existing.keys() | wanted.keys()
    differing = {name for name in names if existing.get(name) != wanted.get(name)}
    if kept := sorted(differing & _read_back(model)):
        raise ModelError(
            f"column {', '.join(kept)} of {model.name} holds what was reported, which only the "
            "landed files can give again"
        )
    for name in sorted(differing & existing.keys() - wanted.keys()):
        con.execute(f'alter table {model.name} drop column "{name}"')
    for name in sorted(differing & wanted.keys()):
        change = f'alter column "{name}" type' if name in existing else f'add column "{name}"'
        con.execute(f"alter table {model.name} {change} {wanted[name]}")


def _read_back(model: Model) -> set[str]:
    """Columns of a table of ``core`` from which a batch takes what was reported before it."""
    steps = [query_of(step) for step in load_models().values() if step.reads == "previous"]
    readers = [step for step in steps if model.schema == "core" and model.name in step.tables]
    return {column for step in readers for column in step.columns}


def _existing(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Columns and their types of each table of the database."""
    return dict(
        con.execute(
            """
            select
                schema_name || '.' || table_name,
                map_from_entries(list((column_name, lower(data_type))))
            from duckdb_columns()
            where database_name = current_database()
            group by all
            """
        ).fetchall()
    )


def comment(con: duckdb.DuckDBPyConnection, kind: Literal["table", "view"], model: Model) -> None:
    """Put the header's words on a table or view and its columns."""
    con.execute(f"comment on {kind} {model.name} is {literal(model.description)}")
    for name, column in model.columns.items():
        con.execute(f'comment on column {model.name}."{name}" is {literal(column.comment)}')
