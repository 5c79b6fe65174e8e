"""``exports/current``: each published table as a folder of exactly its current files.

    exports/
      current -> .current/3f9a12c0                    replaced by one rename, for all tables at once
      .current/3f9a12c0/sms_status/
        2026-11-23-20261123T1004-3f9a12c0.parquet -> ../../../sms_status/event_date=2026-11-23/…

For tools that read folders. Whoever lists a folder gets one state; where it is replaced before all
of its files are opened, those that went are not found, and none is read twice.
"""

import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from contract.settings import Settings
from pipelines.folder.files import sync
from pipelines.folder.show import TREES, exports_folder
from pipelines.publish.data_file import Part


def make_tree(
    settings: Settings, folder: Path, token: str, tables: Iterable[str], parts: Iterable[Part]
) -> None:
    """Link every part below a new tree, and put the link to that tree into ``folder``."""
    trees = exports_folder(settings) / TREES
    tree = trees / token
    for table in tables:
        (tree / table).mkdir(parents=True, mode=0o700)
    for part in parts:
        table, _, rest = part.path.partition("/")
        (tree / table / _flat(rest)).symlink_to(f"../../../{part.path}")
    for path in (*tree.iterdir(), tree, trees):
        sync(path)
    (folder / "current").symlink_to(f"{TREES}/{token}")


def _flat(path: str) -> str:
    """A file's name without folders; another one for another file."""
    return path.removeprefix("event_date=").replace("/", "-")


def tree_folders(settings: Settings) -> list[str]:
    """Folders of tables in the tree that readers see, below the exports."""
    exports = exports_folder(settings)
    tree = Path(os.readlink(exports / "current"))  # noqa: PTH115  the text, which is relative
    return sorted(str(tree / path.name) for path in (exports / tree).iterdir())


def begin_grace(settings: Settings) -> None:
    """Note at the tree that readers see when it began to be replaced."""
    current = exports_folder(settings) / "current"
    if current.is_symlink() and current.exists():
        os.utime(current)


def sweep_trees(settings: Settings, grace_s: float) -> None:
    """Let trees go that were replaced longer ago than the grace."""
    exports = exports_folder(settings)
    shown = (exports / "current").resolve()
    for tree in (exports / TREES).iterdir():
        if tree != shown and time.time() - tree.lstat().st_mtime > grace_s:
            shutil.rmtree(tree)
