"""``exports/current``: each published table as a folder of exactly its current files.

    exports/
      current -> .current/3f9a12c0                    replaced by one rename, for all tables at once
      .current/3f9a12c0/sms_status/
        2026-11-23-20261123T1004-3f9a12c0.parquet -> ../../../sms_status/event_date=2026-11-23/…

For tools that read folders. A tool that lists a folder gets one state. Where the folder is replaced
before all of its files are opened, removed ones are not found, and no row is read twice.
"""

import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from contract.settings import Settings
from pipelines.folder.files import sync
from pipelines.folder.show import TREES, exports_folder
from pipelines.publish.data_files import DataFile


def make_tree(
    settings: Settings, folder: Path, token: str, tables: Iterable[str], files: Iterable[DataFile]
) -> None:
    """Link every data file below a new tree, and put the link to that tree into ``folder``."""
    trees = exports_folder(settings) / TREES
    tree = trees / token
    for table in tables:
        (tree / table).mkdir(parents=True, mode=0o700)
    for file in files:
        table, _, rest = file.path.partition("/")
        (tree / table / _flat(rest)).symlink_to(f"../../../{file.path}")
    for path in (*tree.iterdir(), tree, trees):
        sync(path)
    (folder / "current").symlink_to(f"{TREES}/{token}")


def _flat(path: str) -> str:
    """A file's path as a name without folders, unique to the file."""
    return path.removeprefix("event_date=").replace("/", "-")


def table_folders(settings: Settings) -> list[str]:
    """Folders of tables in the tree that readers see, below the exports."""
    exports = exports_folder(settings)
    tree = Path(os.readlink(exports / "current"))  # noqa: PTH115  the text, which is relative
    return sorted(str(tree / path.name) for path in (exports / tree).iterdir())


def begin_grace(settings: Settings) -> None:
    """Mark the tree that readers see with the time at which it is replaced."""
    current = exports_folder(settings) / "current"
    if current.is_symlink() and current.exists():
        os.utime(current)


def sweep_trees(settings: Settings, grace_s: float) -> None:
    """Remove trees that were replaced longer ago than the grace period."""
    exports = exports_folder(settings)
    shown = (exports / "current").resolve()
    for tree in (exports / TREES).iterdir():
        if tree != shown and time.time() - tree.lstat().st_mtime > grace_s:
            shutil.rmtree(tree)
