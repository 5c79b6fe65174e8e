"""The one writer's connection: lock, limits, transactions.

$DLR_DATA/
  warehouse.duckdb     the pipeline's own; a cache of the landed files
  pipeline.lock        held by the process that works on it
  tmp/                 where DuckDB puts what does not fit in memory
"""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from pydantic import ByteSize, TypeAdapter

from contract.settings import Settings
from pipelines.folder.format import OLDEST_READABLE, expect, format_of, is_outdated, stamp
from pipelines.folder.lock import PATIENCE_S, WarehouseError, pipeline_lock
from pipelines.models.functions import define_functions
from pipelines.models.headers import WAREHOUSE, ModelError
from pipelines.models.parsing import literal
from pipelines.models.tables import bring_tables
from pipelines.models.upgrade import upgrade


def warehouse_path(settings: Settings) -> Path:
    """Where the pipeline's own database lies."""
    return settings.data.absolute() / "warehouse.duckdb"


@contextmanager
def open_warehouse(
    settings: Settings,
    *,
    path: Path | None = None,
    read_only: bool = False,
    patience_s: float = PATIENCE_S,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for this process alone, with all tables, functions and limits set.

    Opened to write, a data folder of an earlier version is brought up to date. Raises
    WarehouseBusyError where another process holds it, FolderFormatError where the folder is of
    another version, WarehouseError where it cannot be opened.
    """
    target = path or warehouse_path(settings)
    with pipeline_lock(settings, patience_s):
        expect(settings, OLDEST_READABLE if read_only else 1)
        if read_only and not target.exists():
            raise WarehouseError(f"There is no {target} yet; `dlr run` makes it.")
        try:
            con = duckdb.connect(target, read_only=read_only, config=_config(settings))
        except duckdb.Error as error:
            raise WarehouseError(
                f"{target} cannot be opened: {error}. It is a cache of the landed files: "
                "`dlr rebuild` makes it anew."
            ) from error
        with con:
            prepare(con, settings)
            if not read_only:
                target.chmod(0o600)
                _bring_tables(con, settings, target)
            yield con


@contextmanager
def scratch_database(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory with the warehouse's functions and limits.

    What does not fit in memory goes to a folder outside of the data folder.
    """
    with TemporaryDirectory(prefix="dlr-") as folder:
        config = _config(settings) | {"temp_directory": folder}
        with duckdb.connect(config=config) as con:
            prepare(con, settings)
            yield con


def _bring_tables(con: duckdb.DuckDBPyConnection, settings: Settings, target: Path) -> None:
    in_place = target == warehouse_path(settings)
    try:
        with transaction(con):
            bring_tables(con)
            if in_place and is_outdated(settings):
                upgrade(con, format_of(settings))
    except ModelError as error:
        raise WarehouseError(
            f"{target} does not fit this version of the product ({error}). `dlr rebuild` makes it "
            "anew from the landed files."
        ) from error
    if in_place:
        stamp(settings)


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing."""
    con.execute("begin")
    try:
        yield
        con.execute("commit")
    except BaseException:
        # a failed commit has ended the transaction already, and its error is the one to tell
        with suppress(duckdb.TransactionException):
            con.execute("rollback")
        raise


def _config(settings: Settings) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "temp_directory": str(settings.data.absolute() / "tmp"),
        "memory_limit": f"{int(settings.memory_limit or _default_memory())}B",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
        "threads": len(os.sched_getaffinity(0)),
    }


def prepare(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Set the time zone, the variables and the functions that the models rely on."""
    con.execute("set TimeZone = 'UTC'")
    for name, value in {
        "provider_timezone": settings.provider_timezone,
        "sends_timezone": settings.sends_timezone,
        "default_region": settings.default_region,
        "reference_version": reference_version(),
    }.items():
        con.execute(f"set variable {name} = {literal(value)}")
    define_functions(con)


@cache
def _default_memory() -> int:
    """Half of what the engine would take, which is 80 % of the machine or the container.

    The other half is for Python and for what the engine does not count: two million records in a
    container of 1 GB were killed.
    """
    with duckdb.connect() as con:
        return memory_limit(con) // 2


def memory_limit(con: duckdb.DuckDBPyConnection) -> int:
    """Bytes of memory the engine may use."""
    text = con.execute("select current_setting('memory_limit')").fetchall()[0][0]
    return TypeAdapter(ByteSize).validate_python(text.replace("bytes", "B"))


def load_reference(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the CSVs of ``warehouse/reference`` into the schema ``reference``, for this connection.

    Every column is text, because codes look like numbers, times and formulas; ``line`` is the
    row's place in its file.
    """
    if con.execute("from duckdb_databases() where database_name = 'reference'").fetchone():
        return
    con.execute("attach ':memory:' as reference")
    for path in _reference_files():
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        columns = ", ".join(f"'{name}': 'VARCHAR'" for name in header)
        con.execute(
            f"""
            create table reference.{path.stem} as
            select *, row_number() over () as line
            from read_csv(
                ?, columns = {{{columns}}}, header = true, auto_detect = false, delim = ',',
                quote = '"', escape = '"', nullstr = '\\0', allow_quoted_nulls = false
            )
            """,
            [str(path)],
        )


def _reference_files() -> list[Path]:
    return sorted((WAREHOUSE / "reference").glob("*.csv"))


@cache
def reference_version() -> str:
    """Digest over the reference data, stored with what it produced."""
    digest = sha256()
    for path in _reference_files():
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]
