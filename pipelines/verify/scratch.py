"""A folder to work in, and the SQLite databases in it: they hold mobiles, and go with it."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipelines.folder.lock import WarehouseError

Row = tuple[Any, ...]
Named = dict[str, Any]
"""A row by its columns."""

_PREFIX, _LOCK = "verify-", "lock"
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
_CACHE_KB = 24_000


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Make a folder and remove it afterwards, with those of verifications that were killed.

    Raises WarehouseError where the disk is full, or the folder cannot be made.
    """
    before = os.environ.pop("SQLITE_TMPDIR", None)
    try:
        parent.mkdir(mode=0o700, exist_ok=True)
        _sweep(parent)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        os.environ["SQLITE_TMPDIR"] = str(folder)
        with FileLock(folder / _LOCK):
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except (OSError, sqlite3.OperationalError) as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_FULL) & 0xFF not in _NO_ROOM:
            raise
        raise WarehouseError(
            f"{parent} cannot be used as a work folder: "
            f"{getattr(error, 'strerror', None) or error}. Verification needs free space there of "
            "three times the size of the landed files and the warehouse."
        ) from error
    finally:
        os.environ.pop("SQLITE_TMPDIR", None)
        if before is not None:
            os.environ["SQLITE_TMPDIR"] = before


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        # where the lock is taken, another verification works in the folder
        with suppress(Timeout), FileLock(folder / _LOCK, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)


def open_scratch(path: Path, *attached: Path) -> sqlite3.Connection:
    """Open a database, made where there is none; others are attached by their stems.

    Nothing survives a crash, because the next verification starts from scratch.
    """
    con = sqlite3.connect(path, isolation_level=None)
    for other in attached:
        con.execute(f"attach '{other}' as {other.stem}")
    for name in ("main", *(other.stem for other in attached)):
        con.execute(f"pragma {name}.journal_mode = off")
        con.execute(f"pragma {name}.synchronous = off")
        con.execute(f"pragma {name}.cache_size = -{_CACHE_KB}")
    return con


def store(con: sqlite3.Connection, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Make a table of rows; its columns have no types, so that values stay as they are."""
    con.execute("begin")
    con.execute(f"create table {table} ({', '.join(columns)})")
    insert(con, table, columns, rows)
    con.execute("commit")


def insert(
    con: sqlite3.Connection, table: str, columns: Sequence[str], rows: Iterable[Row]
) -> None:
    """Add rows to a table; outside of a transaction each would be one of its own."""
    con.executemany(f"insert into {table} values ({', '.join('?' * len(columns))})", rows)


def named_rows(cursor: Any) -> Iterator[Named]:  # noqa: ANN401  a cursor of either engine
    """Yield the rows of a query as dictionaries."""
    names = [column[0] for column in cursor.description or ()]
    return (dict(zip(names, row, strict=True)) for row in cursor.fetchall())
