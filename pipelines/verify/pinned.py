"""The state that is verified: copied under the pipeline's lock, so that the lock is held briefly.

What is published is pinned with it: a later publication replaces the database, the manifest, the
report and the dictionary, and leaves the data files alone for two hours.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb

from contract.settings import Settings
from pipelines.folder.lock import WarehouseError

_MEMORY = 96 * 1024**2
_COPIED = (
    "warehouse.duckdb", "warehouse.duckdb.wal", "analytics.duckdb", "exports/manifest.json",
    "exports/report.html", "exports/dictionary.md", "exports/dictionary.html",
)  # fmt: skip


class Pinned(NamedTuple):
    """Copies in a work folder, and what lay in ``exports/`` when they were made."""

    settings: Settings
    folder: Path
    """Work folder; the scratch databases lie there too."""
    files: list[str]
    """What lies in ``exports/``, without what is hidden; ``current`` is a link."""
    links: dict[str, str]
    """Links below ``exports/current`` and the files they lead to, by their paths."""

    @property
    def exports(self) -> Path:
        """Folder of what is published; its data files are not copied."""
        return self.settings.data.absolute() / "exports"

    def copy(self, name: str) -> Path:
        """Return the path of a copy; there is no file where the original was missing."""
        return self.folder / name


def pin(settings: Settings, folder: Path) -> Pinned:
    """Copy the state; the caller holds the pipeline's lock.

    Raises WarehouseError where there is no warehouse.
    """
    data = settings.data.absolute()
    warehouse = data / "warehouse.duckdb"
    if not warehouse.exists():
        raise WarehouseError(f"There is no {warehouse} yet; `dlr run` creates it.")
    for path in (data / name for name in _COPIED):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    exports, current = data / "exports", data / "exports" / "current"
    files = sorted(name for name in _list(exports) if name[0] != "." and "/." not in name)
    links = {name: os.path.realpath(current / name) for name in _list(current)}
    return Pinned(settings, folder, files, links)


def _list(root: Path) -> Iterator[str]:
    """Yield what lies below a folder, but for folders; links are not followed."""
    for path in root.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield str(path.relative_to(root))


@contextmanager
def open_database(pinned: Pinned, name: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Read the copy of a database, in little memory; raises duckdb.Error where it is not one."""
    limit = min(int(pinned.settings.memory_limit or _MEMORY), _MEMORY)
    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(pinned.folder / "duckdb"),
        "memory_limit": f"{limit}B",
        "threads": 1,
    }
    with duckdb.connect(pinned.copy(name), read_only=True, config=config) as con:
        con.execute("set enable_progress_bar = false")
        yield con


@contextmanager
def open_warehouse(pinned: Pinned) -> Iterator[duckdb.DuckDBPyConnection]:
    """Read the copy of the warehouse; raises WarehouseError where it cannot be read."""
    try:
        with open_database(pinned, "warehouse.duckdb") as con:
            yield con
    except duckdb.Error as error:
        path = pinned.settings.data.absolute() / "warehouse.duckdb"
        raise WarehouseError(
            f"{path} cannot be read: {str(error).splitlines()[0]}. It is a cache of the landed "
            "files: `dlr rebuild` makes it again."
        ) from error
