"""A model tried alone, over the data at hand: what the next run would make of it.

The model runs in a database in memory, in which the stored tables are views of the warehouse,
attached read-only. Nothing is written to the data folder. All of history counts as changed, as
``warehouse/inputs`` says.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import duckdb

from contract.settings import Settings
from pipelines.folder.format import expect
from pipelines.folder.lock import PATIENCE_S, WarehouseError, pipeline_lock
from pipelines.models.catalog import dependencies, known_models, query_of, reach, steps_before
from pipelines.models.computed import outdated
from pipelines.models.headers import Model
from pipelines.models.parsing import literal
from pipelines.models.steps import creation_of, rows_of
from pipelines.models.warehouse import load_reference, scratch_database, warehouse_path


@contextmanager
def open_stored(
    settings: Settings, patience_s: float = PATIENCE_S
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory with a view of every stored table.

    Raises WarehouseError where there is no warehouse, or another process works on it for longer
    than ``patience_s``.
    """
    path = warehouse_path(settings)
    if not path.exists():
        raise WarehouseError(f"There is no {path} yet; `dlr run` makes it.")
    with pipeline_lock(settings, patience_s), scratch_database(settings) as con:
        expect(settings)
        con.execute(f"attach {literal(str(path))} as stored (read_only)")
        for name in stored_tables(con):
            con.execute(f"create schema if not exists {name.partition('.')[0]}")
            con.execute(f"create view {name} as from stored.{name}")
        yield con


def stored_tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Tables of the warehouse that is attached."""
    query = "select schema_name || '.' || table_name from duckdb_tables()"
    rows = con.execute(f"{query} where database_name = 'stored' order by all").fetchall()
    return [name for (name,) in rows]


def prepare_preview(con: duckdb.DuckDBPyConnection, model: Model) -> list[str]:
    """Make everything that the model reads.

    Where a table it follows from was edited since the last run, that one is computed as well. Of
    ``core``, whose tables take long, the stored rows are used; the names of such are returned.
    """
    existing, upstream = stored_tables(con), _upstream(model.name)
    kept = []
    for table in outdated(con):
        if table.name not in upstream:
            continue
        if table.schema == "core" and table.materialized != "table" and table.name in existing:
            kept.append(table.name)
        else:
            _compute(con, table)
    make_steps_before(con, model.name)
    return kept


def _upstream(name: str) -> set[str]:
    """Stored tables that a model follows from, near or far."""
    stored = dependencies()
    direct = _tables_read(name, steps_before([name])) & stored.keys()
    return reach(direct, lambda table: stored[table] & stored.keys()) - {name}


def _tables_read(name: str, steps: list[Model]) -> set[str]:
    """What a model and these steps read."""
    return {table for model in (*steps, known_models()[name]) for table in query_of(model).tables}


def _compute(con: duckdb.DuckDBPyConnection, table: Model) -> None:
    """Put the rows that a table has today in the place of the stored ones."""
    make_steps_before(con, table.name)
    con.execute(f"create or replace temp table computed as {table.sql}")
    con.execute(f"drop view if exists {table.name}")
    con.execute(f"create schema if not exists {table.schema}")
    con.execute(f"create table {table.name} as from computed")


def make_steps_before(
    con: duckdb.DuckDBPyConnection, name: str, given: Collection[str] = ()
) -> None:
    """Make the temporary steps that a model reads, but those ``given``."""
    steps = steps_before([name], given)
    if any(table.startswith("reference.") for table in _tables_read(name, steps)):
        load_reference(con)
    for step in steps:
        con.execute(creation_of(step))


def script_of(model: Model) -> str:
    """The SQL as it runs: every step that is made before, then the SELECT."""
    steps = [f"{creation_of(step)};" for step in steps_before([model.name])]
    head = "-- Runs in a copy of warehouse.duckdb, after the files of warehouse/functions."
    return "\n\n".join([head, *steps, f"{rows_of(model)};"])
