"""What readers are behind by: rows, forms of tables, and what was lost or altered since."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import duckdb

from contract.settings import Settings
from pipelines import models
from pipelines.folder.show import exports_folder
from pipelines.publish import data_files as export
from pipelines.publish.data_file import Part
from pipelines.publish.database import STORAGE_VERSION
from pipelines.publish.dictionary import dictionary_files
from pipelines.publish.report import report_version
from pipelines.publish.stamps import damaged_files


@dataclass(frozen=True, slots=True)
class Due:
    """What a publication has to do; false where readers have everything."""

    stale: list[Part]
    """To be written: files, days, and minutes of days that lie in pieces."""
    current: list[Part]
    """Files that can be built upon."""
    damaged: frozenset[str]
    """Published names that are missing or altered, below the exports."""
    reformed: bool
    """Whether tables came, went or are written differently now, or what is said of them changed."""

    def __bool__(self) -> bool:
        return bool(self.stale or self.damaged or self.reformed)


def what_is_due(con: duckdb.DuckDBPyConnection, settings: Settings) -> Due:
    """Compare what was published last with the warehouse, the settings and the files."""
    forms = {
        name: export.form_of(settings, model) for name, model in export.exported_models().items()
    }
    parts = export.current_parts(con)
    other = {part.table_name for part in parts if part.form != forms.get(part.table_name)}
    current = [part for part in parts if part.table_name not in other]
    known = {part.table_name for part in current}
    damaged = damaged_files(con, settings)
    stale = [part for part in export.stale_parts(con) if part.table_name in known]
    stale += _marks(part for part in current if part.path in damaged)
    stale += export.every_part(con, forms.keys() - known)
    form, _ = latest_publication(con)
    reformed = bool(other) or form != form_of_publication(settings)
    return Due(stale, current, frozenset(damaged), reformed)


def _marks(parts: Iterable[Part]) -> list[Part]:
    """Parts to be written for lost ones; of a piece its first minute stands for all of it."""
    return [Part(part.table_name, part.part_day, part.from_minute_utc) for part in parts]


def is_behind(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the warehouse holds changes whose marts are not computed yet."""
    return bool(con.execute("from ops.stale_hours limit 1").fetchall())


def latest_publication(con: duckdb.DuckDBPyConnection) -> tuple[str | None, str | None]:
    """Form of the last publication, and what was wrong with its report; None where nothing is."""
    rows = con.execute(
        "select form, report_problem from ops.publications order by published_at_utc desc limit 1"
    ).fetchall()
    return rows[0] if rows else (None, None)


def form_of_publication(settings: Settings) -> str:
    """Digest of how all but the data files is made: descriptions, functions, queries, places."""
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
