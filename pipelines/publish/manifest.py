"""``exports/manifest.json``: what is published, in which files, and how long retired files stay.

Readers that follow it, or ``analytics.duckdb``, see one state: both name files that never change.
Files that a new state no longer names stay for ``GRACE_S``, for readers of the old one.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from contract.settings import Settings
from pipelines.folder.files import remove_empty_folders, sha256_of
from pipelines.folder.show import exports_folder, manifest_path
from pipelines.publish.data_files import DataFile

GRACE_S = 2 * 3600.0
"""How long a reader may go on reading a state that was replaced."""

Entry = dict[str, object]


def now_utc() -> datetime:
    """This instant, naive, in UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def read_manifest(settings: Settings) -> dict[str, Any] | None:
    """The current manifest; None where there is none that this version can read."""
    try:
        manifest = json.loads(manifest_path(settings).read_text(encoding="utf-8"))
        paths = [file["path"] for file in (*manifest["files"], *manifest["retired"])]
        [datetime.fromisoformat(file["until_utc"]) for file in manifest["retired"]]
        return dict(manifest) if all(isinstance(path, str) for path in paths) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def entry(path: Path, named: str) -> Entry:
    """Entry of a file: the path by which readers find it, its size and its digest."""
    return {"path": named, "bytes": path.stat().st_size, "sha256": sha256_of(path)}


def file_entries(files: Iterable[DataFile]) -> list[Entry]:
    """Entries of data files."""
    names = ("path", "rows", "bytes", "sha256")
    return [
        {"table": file.table_name} | {name: getattr(file, name) for name in names} for file in files
    ]


def retire(settings: Settings, current: set[str], known: Iterable[str]) -> list[Entry]:
    """Entries of data files of earlier publications that stay, and until when.

    ``known`` are those of the last one. Where no manifest can be read, every file on disk may still
    have readers.
    """
    exports, now = exports_folder(settings), now_utc()
    old = read_manifest(settings)
    until = {path: now + timedelta(seconds=GRACE_S) for path in known}
    for path in _on_disk(exports) if old is None else (file["path"] for file in old["files"]):
        until[path] = now + timedelta(seconds=GRACE_S)
    for file in old["retired"] if old else ():
        until.setdefault(file["path"], datetime.fromisoformat(file["until_utc"]))
    return [
        {"path": path, "until_utc": end.isoformat()}
        for path, end in sorted(until.items())
        if path not in current and end > now and (exports / path).is_file()
    ]


def sweep_files(settings: Settings, manifest: Mapping[str, Any]) -> None:
    """Remove data files that the manifest does not name, and folders left empty."""
    exports = exports_folder(settings)
    named = {file["path"] for file in (*manifest["files"], *manifest["retired"])}
    unnamed = _on_disk(exports) - named
    for path in unnamed:
        (exports / path).unlink()
    if unnamed:
        remove_empty_folders(exports)


def _on_disk(exports: Path) -> set[str]:
    """Paths of all data files, as in the manifest."""
    return {
        str(path.relative_to(exports))
        for path in exports.glob("[!.]*/**/*.parquet")
        if not path.is_symlink()
    }
