"""What readers are given: the manifest, its files, the published database."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

import duckdb

from ingest.settings import Settings
from pipelines.verify.books import Books
from pipelines.verify.findings import Findings
from pipelines.verify.tables import one_row, stream

_TABLE = re.compile(r"[a-z_]+\.[a-z_]+")
_MANIFEST = "exports/manifest.json"
_STATUS = "core.sms_status"


@dataclass(frozen=True, slots=True)
class Behind:
    """What changed in the warehouse and has not reached readers yet."""

    hours: int
    """Hours whose marts are to be computed again."""
    parts: int
    """Parts of tables that are to be published again."""


def check_published(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    books: Books,
    findings: Findings,
    on_progress: Callable[[float], None],
) -> Behind:
    """Check what was published; its contents are compared only where nothing is behind.

    ``on_progress`` hears which share of the files is done.
    """
    behind = Behind(_count(con, "ops.stale_hours"), _count(con, "ops.stale_parts"))
    if not _count(con, "ops.publications"):
        return behind
    manifest = _manifest(settings, findings)
    if manifest is None:
        return behind
    _check_files(settings, manifest, findings, on_progress)
    if not behind.hours and not behind.parts:
        _check_contents(con, manifest, books, findings)
        _check_database(con, settings, findings)
    return behind


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(one_row(con, f"select count(*) from {table}")[0])


def _manifest(settings: Settings, findings: Findings) -> dict[str, Any] | None:
    """Read the manifest; None where it is none."""
    path = settings.data.absolute() / _MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        [
            (one["table"], one["path"], one["rows"], one["bytes"], one["sha256"])
            for one in manifest["files"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sentence = f"the manifest cannot be read ({type(error).__name__}); `dlr run` replaces it."
        findings.add(_MANIFEST, sentence)
        return None
    return dict(manifest)


def _check_files(
    settings: Settings,
    manifest: dict[str, Any],
    findings: Findings,
    on_progress: Callable[[float], None],
) -> None:
    root = settings.data.absolute() / "exports"
    for number, one in enumerate(manifest["files"]):
        on_progress(number / len(manifest["files"]))
        where = f"exports/{one['path']}"
        try:
            size, digest = _seal(root / one["path"])
        except OSError as error:
            findings.add(where, f"the published file cannot be read ({error.strerror}).", "files")
            continue
        if (size, digest) != (one["bytes"], one["sha256"]):
            findings.add(
                where,
                f"the published file has {size:,} bytes and the sha256 {digest[:12]}…, "
                f"in the manifest {one['bytes']:,} bytes and {str(one['sha256'])[:12]}….",
                "files",
            )


def _seal(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, file_digest(file, "sha256").hexdigest()


def _check_contents(
    con: duckdb.DuckDBPyConnection, manifest: dict[str, Any], books: Books, findings: Findings
) -> None:
    """Compare the manifest with the warehouse: fingerprint, files, rows of every table."""
    if manifest.get("fingerprint") != books.last["fingerprint"]:
        findings.add(
            _MANIFEST,
            f"the fingerprint is {manifest.get('fingerprint')}, in ops.ledger it is "
            f"{books.last['fingerprint']}.",
        )
    listed = {
        (one["table"], one["path"], one["rows"], one["bytes"], one["sha256"])
        for one in manifest["files"]
    }
    query = "select table_name, path, rows, bytes, sha256 from ops.export_parts"
    known = {row for rows in stream(con, query) for row in rows}
    for part in sorted(listed ^ known, key=repr):
        has, lacks = (
            ("the manifest", "ops.export_parts")
            if part in listed
            else ("ops.export_parts", "the manifest")
        )
        findings.add(_MANIFEST, f"{has} has {part[1]} in a way {lacks} has not.", "parts")
    rows_listed: Counter[str] = Counter({_STATUS: 0})
    for table, _, rows, _, _ in listed:
        rows_listed[table] += rows
    for table, rows in rows_listed.items():
        stands = _count(con, table) if _TABLE.fullmatch(table) else None
        if stands != rows:
            findings.add(
                _MANIFEST, f"{rows:,} rows of {table} are listed, it has {stands}.", "rows"
            )


def _check_database(con: duckdb.DuckDBPyConnection, settings: Settings, findings: Findings) -> None:
    where = "analytics.duckdb"
    path = settings.data.absolute() / where
    try:
        if not path.exists():
            raise FileNotFoundError(path)
        with duckdb.connect(path, read_only=True) as published:
            found = _count(published, _STATUS)
    except (duckdb.Error, OSError) as error:
        findings.add(where, f"cannot be read ({type(error).__name__}); `dlr run` replaces it.")
        return
    stands = _count(con, _STATUS)
    if found != stands:
        findings.add(where, f"{_STATUS} has {found:,} rows, in the warehouse it has {stands:,}.")
