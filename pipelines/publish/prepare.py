"""All of a publication under hidden names: data files, database, ``current``, papers, manifest."""

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
from pipelines.publish import data_files as export
from pipelines.publish.compaction_plan import plan
from pipelines.publish.current import begin_grace, make_tree
from pipelines.publish.data_file import Part
from pipelines.publish.database import prepare_database
from pipelines.publish.dictionary import dictionary_files
from pipelines.publish.due import Due
from pipelines.publish.manifest import Entry, entry, file_entries, now_utc, read_manifest, retire
from pipelines.publish.privacy import refuse_phones
from pipelines.publish.report import ReportError, make_report, report_path


@dataclass(frozen=True, slots=True)
class Page:
    """The report as rendered, or what kept it from being rendered."""

    content: bytes | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is ready to be shown."""

    written: list[Part]
    """Data files that are new."""
    parts: list[Part]
    """All data files."""
    manifest: dict[str, Any]


def render_page(con: duckdb.DuckDBPyConnection) -> Page:
    """The report of the last days; a defect in it is told, not raised."""
    try:
        return Page(make_report(con)[1], None)
    except ReportError as error:
        return Page(None, str(error))


def prepare(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    due: Due,
    page: Page,
    folder: Path,
    token: str,
) -> Prepared:
    """Write everything that is due; all of it is on disk when this returns.

    Raises PrivacyError where a phone number could be seen, OSError or duckdb.Error where there is
    no room.
    """
    keep, write = plan(due.current, due.stale, partial(export.rows_by_minute, con))
    written = export.write_parts(con, settings, write, token)
    refuse_phones(con, settings, written)
    parts = sorted(keep + written, key=lambda part: (part.table_name, part.path))
    prepare_database(settings, parts)
    tables = [model.table for model in export.exported_models().values()]
    make_tree(settings, folder, token, tables, parts)
    manifest = _manifest(con, settings, folder, page, parts)
    write_private(folder / "manifest.json", json.dumps(manifest, indent=1).encode())
    begin_grace(settings)
    return Prepared(written, parts, manifest)


def _manifest(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    folder: Path,
    page: Page,
    parts: list[Part],
) -> dict[str, Any]:
    last = ledger.latest(con)
    as_of = con.execute("select max(received_at_utc) from raw.pushes").fetchall()[0][0]
    as_of_utc = as_of.isoformat() if as_of else None
    database = f"../{analytics_path(settings).name}"
    known = [part.path for part in export.current_parts(con)]
    return {
        "schema_version": models.schema_version(),
        "fingerprint": last["fingerprint"] if last else ledger.fingerprint(0, 0),
        "as_of_utc": as_of_utc,
        "published_at_utc": now_utc().isoformat(),
        "mobile": settings.export_mobile,
        "database": entry(prepared_database(settings), database),
        "report": _report(settings, folder, page, as_of_utc),
        "dictionary": _dictionary(settings, folder),
        "files": file_entries(parts),
        "retired": retire(settings, {part.path for part in parts}, known),
    }


def _report(settings: Settings, folder: Path, page: Page, as_of_utc: str | None) -> Entry | None:
    """Entry of the new report; of the one in place, if it is sound, where there is no new one."""
    target = report_path(settings)
    if page.content is not None:
        write_private(folder / target.name, page.content)
        made = entry(folder / target.name, target.name)
        return {**made, "as_of_utc": as_of_utc, "problem": None}
    older = (read_manifest(settings) or {}).get("report")
    if not older or not target.is_file() or entry(target, target.name).items() - older.items():
        return None
    return {**older, "problem": page.problem}


def _dictionary(settings: Settings, folder: Path) -> list[Entry]:
    """Entries of the dictionary; what stands there to the letter is left alone."""
    entries = []
    for name, text in dictionary_files().items():
        content, path = text.encode(), exports_folder(settings) / name
        if not path.is_file() or path.read_bytes() != content:
            path = folder / name
            write_private(path, content)
        entries.append(entry(path, name))
    return entries
