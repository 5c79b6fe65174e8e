"""A whole publication under hidden names: data files, database, ``current``, report, manifest."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from contract.settings import Settings
from pipelines import models
from pipelines.folder.files import write_private
from pipelines.folder.show import analytics_path, exports_folder, prepared_database
from pipelines.load import ledger
from pipelines.publish.backlog import Backlog
from pipelines.publish.compaction_plan import plan
from pipelines.publish.current_folder import begin_grace, make_tree
from pipelines.publish.data_files import DataFile, current_files, exported_models, rows_by_minute
from pipelines.publish.database import prepare_database
from pipelines.publish.dictionary import dictionary_files
from pipelines.publish.manifest import Entry, entry, file_entries, now_utc, read_manifest, retire
from pipelines.publish.parquet import write_files
from pipelines.publish.privacy import refuse_phones
from pipelines.publish.report.store import ReportError, report_path


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is ready to be shown."""

    written: list[DataFile]
    """Data files that are new."""
    files: list[DataFile]
    """All data files."""
    manifest: dict[str, Any]


def prepare(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    backlog: Backlog,
    report: bytes | ReportError,
    folder: Path,
    token: str,
) -> Preparation:
    """Write everything that is missing or behind; all of it is on disk when this returns.

    ``report`` is the new page, or why there is none. Raises PrivacyError where a phone number is
    visible, OSError or duckdb.Error where there is no room.
    """
    keep, write = plan(backlog.current, backlog.stale, partial(rows_by_minute, con))
    written = write_files(con, settings, write, token)
    refuse_phones(con, settings, written)
    files = sorted(keep + written, key=lambda file: (file.table_name, file.path))
    prepare_database(settings, files)
    tables = [model.table for model in exported_models().values()]
    make_tree(settings, folder, token, tables, files)
    manifest = _manifest(con, settings, folder, report, files)
    write_private(folder / "manifest.json", json.dumps(manifest, indent=1).encode())
    begin_grace(settings)
    return Preparation(written, files, manifest)


def _manifest(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    folder: Path,
    report: bytes | ReportError,
    files: list[DataFile],
) -> dict[str, Any]:
    last = ledger.latest(con)
    as_of = con.execute("select max(received_at_utc) from raw.pushes").fetchall()[0][0]
    as_of_utc = as_of.isoformat() if as_of else None
    database = f"../{analytics_path(settings).name}"
    known = [file.path for file in current_files(con)]
    return {
        "schema_version": models.schema_version(),
        "fingerprint": last["fingerprint"] if last else ledger.fingerprint(0, 0),
        "as_of_utc": as_of_utc,
        "published_at_utc": now_utc().isoformat(),
        "mobile": settings.export_mobile,
        "database": entry(prepared_database(settings), database),
        "report": _report(settings, folder, report, as_of_utc),
        "dictionary": _dictionary(settings, folder),
        "files": file_entries(files),
        "retired": retire(settings, {file.path for file in files}, known),
    }


def _report(
    settings: Settings, folder: Path, report: bytes | ReportError, as_of_utc: str | None
) -> Entry | None:
    """Entry of the new report; where there is none, of the one in place if that is intact."""
    target = report_path(settings)
    if isinstance(report, bytes):
        write_private(folder / target.name, report)
        new = entry(folder / target.name, target.name)
        return {**new, "as_of_utc": as_of_utc, "problem": None}
    older = (read_manifest(settings) or {}).get("report")
    if not older or not target.is_file() or entry(target, target.name).items() - older.items():
        return None
    return {**older, "problem": str(report)}


def _dictionary(settings: Settings, folder: Path) -> list[Entry]:
    """Entries of the dictionary; a file that is already up to date is left alone."""
    entries = []
    for name, text in dictionary_files().items():
        content, path = text.encode(), exports_folder(settings) / name
        if not path.is_file() or path.read_bytes() != content:
            path = folder / name
            write_private(path, content)
        entries.append(entry(path, name))
    return entries
