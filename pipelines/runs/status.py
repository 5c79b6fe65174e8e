"""How things stand: what is landed, pending, processed, rejected, published, and how fresh."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from contract.settings import Settings
from pipelines.decode.rules import decoded_otherwise
from pipelines.folder.lock import WarehouseBusyError, complete_publication
from pipelines.folder.show import manifest_path
from pipelines.landing.closed_days import Survey, survey
from pipelines.landing.inventory import LandedFile, look
from pipelines.landing.registry import quarantined
from pipelines.load import ledger
from pipelines.models.computed import outdated
from pipelines.models.warehouse import open_warehouse, warehouse_path
from pipelines.sends.files import list_sends, pending_sends

LATE_AFTER = timedelta(hours=1)
"""Files that wait longer than this need somebody to look at the schedule."""
_PATIENCE_S = 5.0


@dataclass(slots=True)
class Status:
    """The state of one data folder."""

    landed_files: int = 0
    landed_bytes: int = 0
    pending_files: int = 0
    pending_bytes: int = 0
    oldest_pending_s: float | None = None
    """Seconds since the oldest pending file came into the folder."""
    ledger: dict[str, object] = field(default_factory=dict)
    """Newest row of ops.ledger."""
    rejected: dict[str, int] = field(default_factory=dict)
    """Rejected records by reason."""
    quarantined: dict[str, str] = field(default_factory=dict)
    """Landed files with a problem, and what it is."""
    send_files: int = 0
    """Files of the send log, if there is one."""
    pending_sends: int = 0
    """Of these, those not taken in yet."""
    sends: dict[str, int] = field(default_factory=dict)
    """Lines of the send log by how their report was found (core.sends)."""
    rejected_sends: dict[str, int] = field(default_factory=dict)
    """Rejected rows of the send log by reason."""
    quarantined_sends: dict[str, str] = field(default_factory=dict)
    """Files of the send log that cannot be taken, and why."""
    published: dict[str, object] = field(default_factory=dict)
    """Head of the manifest."""
    outdated: list[str] = field(default_factory=list)
    """Tables computed by other SQL, settings or reference data than hold now."""
    decoded_otherwise: list[date | None] = field(default_factory=list)
    """Landing days decoded by other rules than hold now; None for files in no day's folder."""
    unpublished: bool = False
    """Whether the warehouse holds changes that readers do not have."""
    busy: bool = False
    """Whether a run is on, so that figures of the warehouse are missing."""
    problems: list[str] = field(default_factory=list)
    """What needs a person, each in a sentence."""


def read_status(settings: Settings) -> Status:
    """Look at the data folder; waits a few seconds at most for a run that is on."""
    complete_publication(settings)
    status = Status(published=_published(settings))
    status.send_files = status.pending_sends = len(list_sends(settings.sends))
    try:
        if warehouse_path(settings).exists():
            with open_warehouse(settings, read_only=True, patience_s=_PATIENCE_S) as con:
                looked = survey(con, settings.landing)
                status.quarantined = quarantined(con, "ops.files", looked.listing.files)
                sends = list_sends(settings.sends)
                status.quarantined_sends = quarantined(con, "ops.send_files", sends)
                status.pending_sends = len(pending_sends(con, settings))
                _read_warehouse(con, status)
                status.outdated = [model.name for model in outdated(con)]
                status.decoded_otherwise = decoded_otherwise(con)
        else:
            listing = look(settings.landing, {})
            looked = Survey(listing, listing.files)
    except WarehouseBusyError:
        status.busy = True
        looked = Survey(look(settings.landing, {}), [])
    status.landed_files, status.landed_bytes = looked.files, looked.bytes
    _add_pending(settings.landing, status, looked.pending)
    status.problems = list(_problems(status))
    return status


def _published(settings: Settings) -> dict[str, object]:
    try:
        manifest = json.loads(manifest_path(settings).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return {"unreadable": True}
    lists = ("files", "retired", "dictionary")
    return {name: value for name, value in manifest.items() if name not in lists}


def _read_warehouse(con: duckdb.DuckDBPyConnection, status: Status) -> None:
    status.ledger = ledger.latest(con) or {}
    status.rejected = dict(
        con.execute(
            "select reason, count(*) from raw.rejected_records group by all order by all"
        ).fetchall()
    )
    for figures, query in (
        (status.sends, "select match, count(*) from core.sends group by all order by all"),
        (
            status.rejected_sends,
            "select reason, count(*) from raw.rejected_sends group by all order by all",
        ),
    ):
        figures |= dict(con.execute(query).fetchall())
    status.unpublished = bool(
        con.execute(
            "select 1 from ops.stale_parts union all select 1 from ops.stale_hours limit 1"
        ).fetchall()
    )


def _add_pending(landing: Path, status: Status, waiting: list[LandedFile]) -> None:
    status.pending_files = len(waiting)
    status.pending_bytes = sum(file.size for file in waiting)
    arrivals = []
    for file in waiting:
        try:
            arrivals.append((landing / file.name).lstat().st_ctime)
        except OSError:
            continue
    if arrivals:
        status.oldest_pending_s = max(0.0, datetime.now(UTC).timestamp() - min(arrivals))


def _report_problems(report: object) -> Iterator[str]:
    if not isinstance(report, dict):
        yield "There is no report, for it could not be rendered; `dlr report` says why."
    elif report.get("problem"):
        yield (
            f"{report['problem']} Readers have the one as of {report.get('as_of_utc')}Z; the next "
            "run tries again."
        )


def _problems(status: Status) -> list[str]:
    found = [f"Landed file {file} {problem}." for file, problem in status.quarantined.items()]
    found += [f"Send file {file} {problem}." for file, problem in status.quarantined_sends.items()]
    last = status.ledger
    if last and not last["balanced"]:
        found.append(
            f"The ledger does not balance: {ledger.describe(last)}. Nothing is published until it "
            "does; `dlr verify` names the place, `dlr rebuild` makes the warehouse anew."
        )
    elif status.unpublished:
        found.append("The warehouse holds changes that are not published; `dlr run` does it.")
    if status.outdated:
        found.append(
            f"{', '.join(status.outdated)}: the SQL, a setting or the reference data behind these "
            "tables has changed since they were computed; `dlr run` computes them again."
        )
    if status.decoded_otherwise:
        found.append(_decoding_problem(status.decoded_otherwise))
    if status.published.get("unreadable"):
        found.append("exports/manifest.json cannot be read; `dlr run` writes it anew.")
    elif status.published:
        found += _report_problems(status.published.get("report"))
    late = status.oldest_pending_s or 0.0
    if late > LATE_AFTER.total_seconds():
        found.append(
            f"{status.pending_files:,} landed file(s) wait for a run, the oldest for "
            f"{late / 3600:.1f} h: is the schedule running (dlr up), do its runs succeed?"
        )
    return found


def _decoding_problem(days: list[date | None]) -> str:
    """Which landing days must be decoded again, and how."""
    named = [day for day in days if day is not None]
    if not named:
        where, command = "Files in no day's folder were", "dlr rebuild"
    elif len(named) == 1:
        where, command = f"The landing day {named[0]} was", f"dlr rebuild --from {named[0]}"
    else:
        where = f"{len(named)} landing days from {named[0]} to {named[-1]} were"
        command = f"dlr rebuild --from {named[0]}"
    return f"{where} decoded by other rules than hold now; `{command}` decodes them again."
