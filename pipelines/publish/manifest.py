"""``exports/manifest.json``: what is published, which files have it, and how long old ones stay.

Readers who follow it, or ``analytics.duckdb``, see one state: both name files that never change.
Files that a new state no longer names stay for ``GRACE_S``, for those who still follow the old one.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from contract.settings import Settings
from pipelines.folder.files import remove_empty_folders, sha256_of
from pipelines.folder.show import exports_folder, manifest_path
from pipelines.publish.data_file import Part

GRACE_S = 2 * 3600.0
"""How long a reader may go on with a state that was replaced."""

Entry = dict[str, object]


def now_utc() -> datetime:
    """This instant, naive, in UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def read_manifest(settings: Settings) -> dict[str, Any] | None:
    """The manifest in place; None where there is none, or none of this version."""
    try:
        manifest = json.loads(manifest_path(settings).read_text(encoding="utf-8"))
        named = [one["path"] for one in (*manifest["files"], *manifest["retired"])]
        [datetime.fromisoformat(one["until_utc"]) for one in manifest["retired"]]
        return dict(manifest) if all(isinstance(path, str) for path in named) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def entry(path: Path, named: str) -> Entry:
    """What the manifest says of a file: where readers find it, its size and digest."""
    return {"path": named, "bytes": path.stat().st_size, "sha256": sha256_of(path)}


def file_entries(parts: Iterable[Part]) -> list[Entry]:
    """What the manifest says of data files."""
    return [
        {
            "table": part.table_name,
            "path": part.path,
            "rows": part.rows,
            "bytes": part.bytes,
            "sha256": part.sha256,
        }
        for part in parts
    ]


def retire(settings: Settings, current: set[str], known: Iterable[str]) -> list[Entry]:
    """Data files of earlier publications that stay, and until when.

    ``known`` are those of the last one. Where no manifest can be read, all that lie there may be in
    somebody's use.
    """
    exports, now = exports_folder(settings), now_utc()
    old = read_manifest(settings)
    until = {path: now + timedelta(seconds=GRACE_S) for path in known}
    for path in _on_disk(exports) if old is None else (one["path"] for one in old["files"]):
        until[path] = now + timedelta(seconds=GRACE_S)
    for one in old["retired"] if old else ():
        until.setdefault(one["path"], datetime.fromisoformat(one["until_utc"]))
    return [
        {"path": path, "until_utc": end.isoformat()}
        for path, end in sorted(until.items())
        if path not in current and end > now and (exports / path).is_file()
    ]


def sweep_files(settings: Settings, manifest: Mapping[str, Any]) -> None:
    """Remove data files that the manifest in place does not name, and folders without any."""
    exports = exports_folder(settings)
    named = {one["path"] for one in (*manifest["files"], *manifest["retired"])}
    unnamed = _on_disk(exports) - named
    for path in unnamed:
        (exports / path).unlink()
    if unnamed:
        remove_empty_folders(exports)


def _on_disk(exports: Path) -> set[str]:
    """Data files, named as in the manifest."""
    return {
        str(path.relative_to(exports))
        for path in exports.glob("[!.]*/**/*.parquet")
        if not path.is_symlink()
    }
