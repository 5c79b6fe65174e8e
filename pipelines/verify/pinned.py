"""The state a verification looks at: copied under the pipeline's lock, so that it is held briefly.

What is published is pinned with it: a later publication replaces the database, the manifest, the
report and the dictionary, and leaves the data files alone for two hours.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from contract.settings import Settings
from pipelines.folder.lock import WarehouseError
from pipelines.verify.scratch import Row

_MEMORY = 96 * 1024**2
_COPIED = ("report.html", "dictionary.md", "dictionary.html")


@dataclass
class Pinned:
    """Copies, and what lay in ``exports/`` when they were made."""

    warehouse: Path
    database: Path
    """The published database."""
    exports: Path
    manifest: dict[str, Any] | None = None
    """None where it cannot be read."""
    copies: dict[str, Path] = field(default_factory=dict)
    """Report and dictionary by their names."""
    files: list[str] = field(default_factory=list)
    """Everything that lies in ``exports/``, but the hidden."""
    links: dict[str, str] = field(default_factory=dict)
    """Links below ``exports/current``, and where they lead, both by their paths."""


def pin(settings: Settings, folder: Path) -> Pinned:
    """Copy the state; the caller holds the pipeline's lock.

    Raises WarehouseError where there is no warehouse.
    """
    data = settings.data.absolute()
    warehouse = data / "warehouse.duckdb"
    if not warehouse.exists():
        raise WarehouseError(f"There is no {warehouse} yet; `dlr run` creates it.")
    pinned = Pinned(folder / "warehouse.duckdb", folder / "analytics.duckdb", data / "exports")
    for name in ("warehouse.duckdb", "warehouse.duckdb.wal", "analytics.duckdb"):
        if (data / name).is_file():
            shutil.copyfile(data / name, folder / name)
    _pin_exports(pinned, folder)
    return pinned


def _pin_exports(pinned: Pinned, folder: Path) -> None:
    try:
        pinned.manifest = json.loads((pinned.exports / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        pinned.manifest = None
    for name in _COPIED:
        if (pinned.exports / name).is_file():
            shutil.copyfile(pinned.exports / name, folder / name)
            pinned.copies[name] = folder / name
    pinned.files = sorted(_visible(pinned.exports))
    current = pinned.exports / "current"
    for path, _, names in os.walk(current, followlinks=True):
        for name in names:
            link = Path(path) / name
            pinned.links[str(link.relative_to(current))] = str(link.resolve())


def _visible(root: Path) -> Iterator[str]:
    for path, folders, names in os.walk(root):
        at = Path(path)
        linked = [name for name in folders if (at / name).is_symlink()]
        folders[:] = [name for name in folders if name[0] != "." and name not in linked]
        for name in (*names, *linked):
            if name[0] != ".":
                yield str((at / name).relative_to(root))


@contextmanager
def open_database(
    path: Path, scratch: Path, settings: Settings
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Read a database file, in little memory; raises duckdb.Error where it is not one."""
    limit = min(int(settings.memory_limit or _MEMORY), _MEMORY)
    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(scratch / "duckdb"),
        "memory_limit": f"{limit}B",
        "threads": 1,
    }
    with duckdb.connect(path, read_only=True, config=config) as con:
        con.execute("set enable_progress_bar = false")
        yield con


@contextmanager
def open_warehouse(
    pinned: Pinned, scratch: Path, settings: Settings
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Read the copy of the warehouse; raises WarehouseError where it cannot be read."""
    try:
        with open_database(pinned.warehouse, scratch, settings) as con:
            yield con
    except duckdb.Error as error:
        path = settings.data.absolute() / "warehouse.duckdb"
        raise WarehouseError(
            f"{path} cannot be read: {str(error).splitlines()[0]}. It is a cache of the landed "
            "files: `dlr rebuild` makes it again."
        ) from error


def all_rows(con: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    """Return the rows of a query."""
    rows: list[Row] = con.execute(query).fetchall()
    return rows
