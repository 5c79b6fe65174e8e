"""Whether what was published still lies there as it was left: size, time of change and inode.

Nothing is read, so that thousands of files can be looked at in every run. What was replaced,
written to, renamed or restored from a backup has another time of change or another inode.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pandas as pd

from contract.settings import Settings
from pipelines.folder.show import SHOWN, analytics_path, exports_folder
from pipelines.publish.current import tree_folders

_DATABASE = "../analytics.duckdb"
_COLUMNS = {"path": "string", "bytes": "int64", "changed_ns": "int64", "inode": "uint64"}

Stamp = tuple[int, int, int]
"""Size in bytes, time of change in nanoseconds, inode."""


def _stamp(path: Path) -> Stamp | None:
    """The file system's word on a file, link or folder; None where it is not there."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size, found.st_ctime_ns, found.st_ino


def _place(settings: Settings, name: str) -> Path:
    """Where a name below the exports is; these may be a link, so that .. is not the data folder."""
    return analytics_path(settings) if name == _DATABASE else exports_folder(settings) / name


def remember_stamps(
    con: duckdb.DuckDBPyConnection, settings: Settings, data_files: Iterable[str]
) -> None:
    """Note how everything that was published lies there now."""
    names = [_DATABASE, *SHOWN, *tree_folders(settings), *data_files]
    stamps = [(name, *found) for name in names if (found := _stamp(_place(settings, name)))]
    con.register("stamps", pd.DataFrame(stamps, columns=list(_COLUMNS)).astype(_COLUMNS))
    con.execute("delete from ops.published_files")
    con.execute("insert into ops.published_files by name from stamps")
    con.unregister("stamps")


def damaged_files(con: duckdb.DuckDBPyConnection, settings: Settings) -> set[str]:
    """Published names that are missing or not as they were left, below the exports."""
    rows = con.execute("select path, bytes, changed_ns, inode from ops.published_files").fetchall()
    return {name for name, *known in rows if _stamp(_place(settings, name)) != tuple(known)}


def in_words(settings: Settings, damaged: Iterable[str]) -> str:
    """What was missing or altered, for people: the files with names of their own, then a count."""
    names = [
        name
        for name, meant in (
            (analytics_path(settings).name, {_DATABASE}),
            *((name, {name}) for name in SHOWN if name != "current"),
        )
        if meant & set(damaged)
    ]
    links = [name for name in damaged if name == "current" or name.startswith(".current/")]
    files = sum(name.endswith(".parquet") for name in damaged)
    counted = [f"{files:,} data file{'s' if files > 1 else ''}"] if files else []
    return ", ".join([*names, *(["current"] if links else []), *counted])
