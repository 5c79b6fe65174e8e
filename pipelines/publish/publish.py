"""The published state: the backlog is prepared as a whole, then shown, then recorded.

    backlog.py        changed rows, tables of another form, lost or altered files
    preparation.py    data files under new names, everything else under hidden ones
    show.py           everything renamed, the manifest last
    integrity.py      what lies there now, so that the next run sees what was altered

Where any of it cannot be prepared, readers keep the old state everywhere. Only the report may be an
older one, because numbers never wait for it.
"""

import secrets
from dataclasses import astuple, dataclass

import duckdb

from contract.errors import UserError
from contract.settings import Settings
from pipelines.folder.show import preparing, show
from pipelines.load import ledger
from pipelines.load.marts import refresh_marts
from pipelines.models.rows import hand_over
from pipelines.models.warehouse import transaction
from pipelines.publish import manifest
from pipelines.publish.backlog import (
    form_of_publication,
    latest_publication,
    marts_are_stale,
    read_backlog,
)
from pipelines.publish.current_folder import sweep_trees
from pipelines.publish.integrity import describe_damage, record_files
from pipelines.publish.preparation import Preparation, prepare
from pipelines.publish.report.store import ReportError, make_report


class UnbalancedError(UserError):
    """The ledger does not balance; publishing was refused."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What a publication did."""

    published: bool
    """False where readers already had everything."""
    written: int = 0
    """Parquet files written."""
    rows: int = 0
    """Rows in them."""
    bytes: int = 0
    """Bytes in them."""
    fingerprint: str = ""
    repaired: str = ""
    """What was missing or altered and was made again; empty where nothing was."""
    report_problem: str | None = None
    """Why the report could not be rendered, so that the older one stayed; None where it could."""


def publish(con: duckdb.DuckDBPyConnection, settings: Settings) -> Publication:
    """Bring readers to the state of the warehouse; what did not change is left alone.

    Raises UnbalancedError where the conservation law does not hold, PrivacyError where a phone
    number is visible, OSError or duckdb.Error where there is no room; readers then keep the old
    state.
    """
    violation = _violation(con)
    if violation:
        raise UnbalancedError(
            f"{violation}. Nothing was published. `dlr verify` finds the cause; `dlr rebuild` "
            "rebuilds the warehouse."
        )
    refresh_marts(con)
    backlog = read_backlog(con, settings)
    _, problem = latest_publication(con)
    if not backlog and not problem:
        return Publication(published=False)
    report = _render_report(con)
    report_problem = str(report) if isinstance(report, ReportError) else None
    if not backlog and report_problem:
        return Publication(published=False, report_problem=report_problem)
    token = secrets.token_hex(4)
    with preparing(settings, token) as folder:
        prepared = prepare(con, settings, backlog, report, folder, token)
    show(settings)
    publication = Publication(
        published=True,
        written=len(prepared.written),
        rows=sum(file.rows for file in prepared.written),
        bytes=sum(file.bytes for file in prepared.written),
        fingerprint=str(prepared.manifest["fingerprint"]),
        repaired=describe_damage(settings, backlog.damaged),
        report_problem=report_problem,
    )
    _record(con, settings, prepared, publication)
    manifest.sweep_files(settings, prepared.manifest)
    sweep_trees(settings, manifest.GRACE_S)
    return publication


def _render_report(con: duckdb.DuckDBPyConnection) -> bytes | ReportError:
    """The report of the last days; a defect in it is returned, not raised."""
    try:
        return make_report(con)[1]
    except ReportError as error:
        return error


def is_current(con: duckdb.DuckDBPyConnection, settings: Settings) -> bool:
    """Whether a run would publish nothing."""
    _, problem = latest_publication(con)
    return not (problem or marts_are_stale(con) or read_backlog(con, settings))


def can_publish(con: duckdb.DuckDBPyConnection, settings: Settings) -> bool:
    """Whether readers are behind the warehouse, and nothing forbids publishing.

    A report that could not be rendered does not ask for a run by itself; the hourly one retries.
    """
    behind = marts_are_stale(con) or bool(read_backlog(con, settings))
    return behind and _violation(con) is None


def _violation(con: duckdb.DuckDBPyConnection) -> str | None:
    """Which run does not balance, of the reports or of the send log; None where both do."""
    for law in (ledger.RECORDS, ledger.SENDS):
        last = ledger.latest(con, law)
        if last is not None and not last["balanced"]:
            return f"Run {last['run_id']} does not balance: {ledger.describe(last, law)}"
    return None


def _record(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    prepared: Preparation,
    publication: Publication,
) -> None:
    """Record in the warehouse what readers have now, and in which state it lies on disk."""
    hand_over(con, "new_export_parts", map(astuple, prepared.files), "ops.export_parts")
    names = ("published_at_utc", "as_of_utc", "fingerprint", "mobile", "schema_version")
    row = {name: prepared.manifest[name] for name in names} | {
        "form": form_of_publication(settings),
        "report_problem": publication.report_problem,
        "repaired": publication.repaired or None,
    }
    with transaction(con):
        con.execute("delete from ops.stale_parts")
        con.execute("delete from ops.export_parts")
        con.execute("insert into ops.export_parts by name from new_export_parts")
        con.execute(
            f"insert into ops.publications ({', '.join(row)}) values (?, ?, ?, ?, ?, ?, ?, ?)",
            list(row.values()),
        )
        record_files(con, settings, [file.path for file in prepared.files])
