"""What readers are behind by: changed rows, tables of another form, lost or altered files."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import duckdb

from contract.settings import Settings
from pipelines import models
from pipelines.folder.show import exports_folder
from pipelines.publish.data_files import (
    DataFile,
    all_files,
    current_files,
    exported_models,
    stale_files,
)
from pipelines.publish.database import STORAGE_VERSION
from pipelines.publish.dictionary import dictionary_files
from pipelines.publish.integrity import damaged_files
from pipelines.publish.parquet import form_of
from pipelines.publish.report.store import report_version


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a publication has to do; false where readers have everything."""

    stale: list[DataFile]
    """To be written: tables, days, and minutes of days that have several files."""
    current: list[DataFile]
    """Files that can be built upon."""
    damaged: frozenset[str]
    """Published names that are missing or altered, below the exports."""
    reformed: bool
    """Whether tables came, went or are written differently now, or their descriptions changed."""

    def __bool__(self) -> bool:
        return bool(self.stale or self.damaged or self.reformed)


def read_backlog(con: duckdb.DuckDBPyConnection, settings: Settings) -> Backlog:
    """Compare the last publication with the warehouse, the settings and the files."""
    forms = {name: form_of(settings, model) for name, model in exported_models().items()}
    files = current_files(con)
    other = {file.table_name for file in files if file.form != forms.get(file.table_name)}
    current = [file for file in files if file.table_name not in other]
    known = {file.table_name for file in current}
    damaged = damaged_files(con, settings)
    stale = [file for file in stale_files(con) if file.table_name in known]
    stale += _again(file for file in current if file.path in damaged)
    stale += all_files(con, forms.keys() - known)
    form, _ = latest_publication(con)
    reformed = bool(other) or form != form_of_publication(settings)
    return Backlog(stale, current, frozenset(damaged), reformed)


def _again(files: Iterable[DataFile]) -> list[DataFile]:
    """Stale files for lost ones; the first minute of a file stands for all of it."""
    return [DataFile(file.table_name, file.part_day, file.from_minute_utc) for file in files]


def marts_are_stale(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the warehouse holds changes whose marts are not computed yet."""
    return bool(con.execute("from ops.stale_hours limit 1").fetchall())


def latest_publication(con: duckdb.DuckDBPyConnection) -> tuple[str | None, str | None]:
    """Form of the last publication, and what was wrong with its report; None where nothing is."""
    rows = con.execute(
        "select form, report_problem from ops.publications order by published_at_utc desc limit 1"
    ).fetchall()
    return rows[0] if rows else (None, None)


def form_of_publication(settings: Settings) -> str:
    """Digest of how all but the data files is made: descriptions, functions, queries, paths."""
    functions = sorted((models.WAREHOUSE / "functions").glob("*.sql"))
    texts = [
        str(exports_folder(settings)),
        settings.export_mobile,
        STORAGE_VERSION,
        report_version(),
        *dictionary_files().values(),
        *(path.read_text(encoding="utf-8") for path in functions),
    ]
    return sha256("\0".join(texts).encode()).hexdigest()[:12]
