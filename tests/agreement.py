"""Whatever readers follow, they see one state: a check of everything in ``exports``."""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import duckdb

from contract.settings import Settings
from pipelines.folder.show import analytics_path, manifest_path


def manifest_of(settings: Settings) -> dict[str, Any]:
    """The manifest in place."""
    content: dict[str, Any] = json.loads(manifest_path(settings).read_text(encoding="utf-8"))
    return content


def everywhere(settings: Settings, table: str = "core.sms_status") -> set[int]:
    """Rows of a table by the database, the manifest and ``current``; what else is named, agrees.

    One number where they agree. Fails where a digest is wrong, a file is missing or too much.
    """
    manifest, folder = manifest_of(settings), manifest_path(settings).parent
    others = (manifest["database"], manifest["report"], *manifest["dictionary"])
    for one in (*others, *manifest["files"]):
        # the exports may be a link to another disk, whose .. is not the data folder
        content = Path(os.path.normpath(folder / one["path"])).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        assert (one["bytes"], one["sha256"]) == (len(content), digest), one["path"]
    assert_only_named_files(folder, manifest)
    files = [str(folder / one["path"]) for one in manifest["files"] if one["table"] == table]
    with duckdb.connect(analytics_path(settings), read_only=True) as con:
        counts = [con.execute(f"select count(*) from {table}").fetchall()]
    linked = f"'{folder}/current/{table.partition('.')[2]}/*.parquet'"
    counts += [
        duckdb.execute(f"select count(*) from read_parquet({one})").fetchall()
        for one in (files, linked)
        if files
    ]
    return {count for [(count,)] in counts}


def assert_only_named_files(folder: Path, manifest: dict[str, Any]) -> None:
    """Nothing lies there but what the manifest names, and the trees of ``current``."""
    named = {one["path"] for one in (*manifest["files"], *manifest["retired"])}
    named |= {one["path"] for one in manifest["dictionary"]} | {"manifest.json", "report.html"}
    lying = {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and folder / ".current" not in path.parents
    }
    assert lying == named
    links = [path.resolve() for path in (folder / "current").glob("*/*")]
    assert sorted(links) == sorted((folder / one["path"]).resolve() for one in manifest["files"])
    assert not [path for path in folder.iterdir() if path.name in (".prepared", ".ready")]
    assert not list(folder.parent.glob(".analytics.duckdb*"))


def figures_of(settings: Settings) -> dict[str, Any]:
    """The numbers the report in place carries."""
    page = (manifest_path(settings).parent / "report.html").read_text(encoding="utf-8")
    [text] = re.findall(r'id="figures">(.*?)</script>', page)
    found: dict[str, Any] = json.loads(text)
    return found
