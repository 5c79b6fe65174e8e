"""A publication is prepared under hidden names, then shown: renamed, one file after the other.

    $DLR_DATA/
      analytics.duckdb               what readers open
      .analytics.duckdb.prepared     the next one
      exports/
        manifest.json, …             what readers open
        .prepared/                   the next ones, while any of them is still being made
        .ready/                      the same folder, when all of them are on disk

The second name of the folder is the mark that nothing can fail any more: a publication that has it
is completed, by this process or, if that one is killed, by the next that takes the pipeline's lock.
One that has not is thrown away. Data files have names that were never used before; nobody reads
them until the manifest, the database and ``current`` name them.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contract.settings import Settings
from pipelines.folder.files import remove_empty_folders, sync

SHOWN = ("dictionary.md", "dictionary.html", "report.html", "current", "manifest.json")
"""Renamed after the database, in this order: a reader that sees the manifest sees the others."""
TREES = ".current"
"""Folder in the exports in which each publication has what its link ``current`` points to."""


def exports_folder(settings: Settings) -> Path:
    """Where the Parquet files and the manifest lie."""
    return settings.data.absolute() / "exports"


def analytics_path(settings: Settings) -> Path:
    """The published database."""
    return settings.data.absolute() / "analytics.duckdb"


def manifest_path(settings: Settings) -> Path:
    """The list of current exports."""
    return exports_folder(settings) / "manifest.json"


def prepared_database(settings: Settings) -> Path:
    """The next database; beside the one it replaces because the exports may be on another disk."""
    return analytics_path(settings).with_name(".analytics.duckdb.prepared")


def _prepared(settings: Settings) -> Path:
    return exports_folder(settings) / ".prepared"


def _ready(settings: Settings) -> Path:
    return exports_folder(settings) / ".ready"


@contextmanager
def preparing(settings: Settings, token: str) -> Iterator[Path]:
    """An empty hidden folder for what is to be shown; what is put there must be on disk.

    It is ready to be shown when the block ends. Where it ends with an error, nothing is left of
    it, nor of the data files and the tree with ``token`` in their names.
    """
    folder = _prepared(settings)
    _throw_away(settings)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
        sync(folder)
        sync(analytics_path(settings).parent)
        folder.rename(_ready(settings))
        sync(folder.parent)
    except BaseException:
        if not is_ready(settings):
            _throw_away(settings)
            shutil.rmtree(folder.parent / TREES / token, ignore_errors=True)
            for path in folder.parent.rglob(f"*-{token}.parquet"):
                path.unlink()
            remove_empty_folders(folder.parent)
        raise


def _throw_away(settings: Settings) -> None:
    shutil.rmtree(_prepared(settings), ignore_errors=True)
    new = prepared_database(settings)
    for path in (new, new.with_name(f"{new.name}.wal")):
        path.unlink(missing_ok=True)


def is_ready(settings: Settings) -> bool:
    """Whether a publication waits to be shown, because the process that made it was killed."""
    return _ready(settings).exists()


def show(settings: Settings) -> None:
    """Rename what is ready, the manifest last; does nothing where nothing is.

    The caller holds the pipeline's lock. Completes what another process began.
    """
    ready = _ready(settings)
    if not ready.exists():
        return
    exports = exports_folder(settings)
    _replace(prepared_database(settings), analytics_path(settings))
    for name in SHOWN:
        _replace(ready / name, exports / name)
    sync(analytics_path(settings).parent)
    sync(exports)
    ready.rmdir()


def _replace(new: Path, target: Path) -> None:
    if not os.path.lexists(new):
        return  # shown already, by a process that was killed, or as it was before
    if target.is_dir() and not target.is_symlink():
        # a backup that followed the link, for example; it goes with the trees of earlier days
        target.rename(target.parent / TREES / f"{target.name}-{new.lstat().st_ino}")
    new.replace(target)
