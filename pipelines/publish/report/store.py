"""Where reports lie, and how one is made and put in its place."""

import secrets
import traceback
from functools import cache
from hashlib import sha256
from pathlib import Path

import duckdb

from contract.errors import UserError
from contract.settings import Settings
from pipelines.folder.files import replace_file, write_private
from pipelines.folder.show import exports_folder
from pipelines.models.headers import WAREHOUSE
from pipelines.publish.report.figures import Figures, read_figures
from pipelines.publish.report.page import render
from pipelines.publish.report.period import Period, PeriodError

_HERE = Path(__file__).parent


class ReportError(UserError):
    """The report cannot be rendered; the message says at which line, and tells no value."""


def report_path(settings: Settings) -> Path:
    """The report of the last days, as it is published with each run."""
    return exports_folder(settings) / "report.html"


def make_report(
    con: duckdb.DuckDBPyConnection, period: Period | None = None
) -> tuple[Figures, bytes]:
    """Figures and page of a period, by default of the last days.

    Raises ReportError whatever is wrong with it: whether it can be rendered must matter to nobody
    but its readers.
    """
    try:
        figures = read_figures(con, period)
        return figures, render(figures).encode()
    except PeriodError:
        raise
    except Exception as error:
        raise ReportError(f"The report could not be rendered ({_place(error)}).") from error


def _place(error: Exception) -> str:
    """Kind of the error and the innermost line of ours; its message might tell a phone number."""
    frames = traceback.extract_tb(error.__traceback__)
    *_, place = (
        f"{Path(one.filename).name}, line {one.lineno}"
        for one in frames
        if Path(one.filename).parent == _HERE
    )
    return f"{type(error).__name__} at {', '.join([place, *getattr(error, '__notes__', ())])}"


@cache
def report_version() -> str:
    """Digest over the queries, templates and code that make the report."""
    paths = [path for folder in (WAREHOUSE / "report", _HERE) for path in folder.iterdir()]
    digest = sha256()
    for path in sorted(path for path in paths if path.is_file()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def write_page(target: Path, page: bytes) -> None:
    """Put a page in its place in one step, readable by its owner only."""
    new = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    write_private(new, page)
    replace_file(new, target)
