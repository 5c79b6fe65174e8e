"""Where the report lies, and how one is made and written."""

import secrets
import traceback
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path

import duckdb

from contract.errors import UserError
from contract.settings import Settings
from pipelines.folder.files import replace_file, write_private
from pipelines.folder.show import exports_folder
from pipelines.models.headers import WAREHOUSE
from pipelines.publish import pages
from pipelines.publish.report.figures import Figures, PeriodError, read_figures
from pipelines.publish.report.page import render

_HERE = Path(__file__).parent


class ReportError(UserError):
    """The report cannot be rendered; the message names a line of code and quotes no data."""


def report_path(settings: Settings) -> Path:
    """The report of the last days, published with each run."""
    return exports_folder(settings) / "report.html"


def make_report(
    con: duckdb.DuckDBPyConnection, first_day: date | None = None, last_day: date | None = None
) -> tuple[Figures, bytes]:
    """Figures and page of these UTC days, by default of the last ones.

    Raises PeriodError where the first day is after the last, and ReportError whatever else is
    wrong, so that a broken report never blocks a publication.
    """
    try:
        figures = read_figures(con, first_day, last_day)
        return figures, render(figures).encode()
    except PeriodError:
        raise
    except Exception as error:
        raise ReportError(f"The report could not be rendered ({_place(error)}).") from error


def _place(error: Exception) -> str:
    """Type of the error and its innermost line here; its message could hold a phone number."""
    frames = traceback.extract_tb(error.__traceback__)
    *_, place = (
        f"{Path(frame.filename).name}, line {frame.lineno}"
        for frame in frames
        if Path(frame.filename).parent == _HERE
    )
    return f"{type(error).__name__} at {', '.join([place, *getattr(error, '__notes__', ())])}"


@cache
def report_version() -> str:
    """Digest over the queries, templates and code that make the report."""
    folders = (WAREHOUSE / "report", _HERE)
    paths = [Path(pages.__file__), *(path for folder in folders for path in folder.iterdir())]
    digest = sha256()
    for path in sorted(path for path in paths if path.is_file()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def write_page(target: Path, page: bytes) -> None:
    """Write a page atomically, readable by its owner only."""
    new = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    write_private(new, page)
    replace_file(new, target)
