"""Whether published files are still as they were left: size, time of change and inode.

Nothing is read, so that every run can check thousands of files. A file that was replaced, written
to, renamed or restored from a backup has another time of change or another inode.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from contract.settings import Settings
from pipelines.folder.show import SHOWN, analytics_path, exports_folder
from pipelines.models.rows import hand_over
from pipelines.publish.current_folder import table_folders

_DATABASE = "../analytics.duckdb"

FileState = tuple[int, int, int]
"""Size in bytes, time of change in nanoseconds, inode."""


def _state(settings: Settings, name: str) -> FileState | None:
    """State of a published file, link or folder; None where it is not there."""
    # the exports may be a link to another folder, so that .. would not be the data folder
    is_database = name == _DATABASE
    path: Path = analytics_path(settings) if is_database else exports_folder(settings) / name
    try:
        stat = path.lstat()
    except OSError:
        return None
    return stat.st_size, stat.st_ctime_ns, stat.st_ino


def record_files(
    con: duckdb.DuckDBPyConnection, settings: Settings, data_files: Iterable[str]
) -> None:
    """Record the state of everything that is published now."""
    names = [_DATABASE, *SHOWN, *table_folders(settings), *data_files]
    rows = [(name, *state) for name in names if (state := _state(settings, name))]
    hand_over(con, "new_published_files", rows, "ops.published_files")
    con.execute("delete from ops.published_files")
    con.execute("insert into ops.published_files by name from new_published_files")


def damaged_files(con: duckdb.DuckDBPyConnection, settings: Settings) -> set[str]:
    """Published names, below the exports, that are missing or altered."""
    rows = con.execute("select path, bytes, changed_ns, inode from ops.published_files").fetchall()
    return {name for name, *state in rows if _state(settings, name) != tuple(state)}


def describe_damage(settings: Settings, damaged: Iterable[str]) -> str:
    """The missing or altered files in words: the well-known ones by name, data files counted."""
    names = set(damaged)
    words = [analytics_path(settings).name] if _DATABASE in names else []
    words += [name for name in SHOWN if name in names - {"current"}]
    if any(name == "current" or name.startswith(".current/") for name in names):
        words.append("current")
    count = sum(name.endswith(".parquet") for name in names)
    if count:
        words.append(f"{count:,} data file{'s' if count > 1 else ''}")
    return ", ".join(words)
