"""The state of a data folder: landed, pending, processed, rejected, published, and how fresh."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from contract.problems import Problem
from contract.settings import Settings
from pipelines.decode.rules import decoded_otherwise
from pipelines.folder.lock import WarehouseBusyError, complete_publication
from pipelines.folder.show import manifest_path
from pipelines.landing.closed_partitions import Inventory, take_inventory
from pipelines.landing.inventory import LandedFile, list_open
from pipelines.landing.registry import LANDED_FILES, SEND_FILES, quarantined
from pipelines.load import ledger
from pipelines.models.computed import outdated
from pipelines.models.warehouse import open_warehouse, warehouse_path
from pipelines.runs.silence import Silence, silence
from pipelines.sends.files import list_sends, pending_sends

LATE_AFTER = timedelta(hours=1)
"""A file that waits longer than this is a problem: the schedule may not be running."""
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
    """Quarantined landed files, and why."""
    send_files: int = 0
    """Files of the send log, if there is one."""
    pending_sends: int = 0
    """Of these, those not loaded yet."""
    sends: dict[str, int] = field(default_factory=dict)
    """Lines of the send log by how their report was found (core.sends)."""
    rejected_sends: dict[str, int] = field(default_factory=dict)
    """Rejected rows of the send log by reason."""
    quarantined_sends: dict[str, str] = field(default_factory=dict)
    """Quarantined files of the send log, and why."""
    published: dict[str, object] = field(default_factory=dict)
    """The manifest without its lists of files."""
    outdated: list[str] = field(default_factory=list)
    """Tables whose SQL, settings or reference data changed since they were computed."""
    decoded_otherwise: list[date | None] = field(default_factory=list)
    """Landing days whose decoding rules changed since; None for files outside the days' folders."""
    unpublished: bool = False
    """Whether the warehouse holds changes that readers do not have."""
    silence: Silence | None = None
    """How long no push has come, and how long is usual."""
    busy: bool = False
    """Whether a run is in progress, so that figures of the warehouse are missing."""
    named_problems: list[Problem] = field(default_factory=list)
    """What requires action; a name may occur more than once, such as for each quarantined file."""

    @property
    def problems(self) -> list[str]:
        """What requires action, each in a sentence."""
        return [problem.sentence for problem in self.named_problems]


def read_status(settings: Settings, patience_s: float = _PATIENCE_S) -> Status:
    """Read the state of the data folder; waits ``patience_s`` at most for a run in progress."""
    complete_publication(settings)
    status = Status(published=_published(settings))
    status.send_files = status.pending_sends = len(list_sends(settings.sends))
    try:
        if warehouse_path(settings).exists():
            with open_warehouse(settings, read_only=True, patience_s=patience_s) as con:
                inventory = take_inventory(con, settings.landing)
                status.quarantined = quarantined(con, LANDED_FILES, inventory.listing.files)
                sends = list_sends(settings.sends)
                status.quarantined_sends = quarantined(con, SEND_FILES, sends)
                status.pending_sends = len(pending_sends(con, settings))
                _read_warehouse(con, status)
                status.outdated = [model.name for model in outdated(con)]
                status.decoded_otherwise = decoded_otherwise(con)
                status.silence = silence(con, _now_utc(), _newest(inventory.pending))
        else:
            listing = list_open(settings.landing)
            inventory = Inventory(listing, listing.files)
    except WarehouseBusyError:
        status.busy = True
        inventory = Inventory(list_open(settings.landing), [])
    status.landed_files, status.landed_bytes = inventory.files, inventory.bytes
    _add_pending(settings.landing, status, inventory.pending)
    status.named_problems = list(_problems(status))
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
    status.rejected = _count_by(con, "reason", "raw.rejected_records")
    status.sends = _count_by(con, "match", "core.sends")
    status.rejected_sends = _count_by(con, "reason", "raw.rejected_sends")
    stale = "select 1 from ops.stale_parts union all select 1 from ops.stale_hours limit 1"
    status.unpublished = bool(con.execute(stale).fetchall())


def _count_by(con: duckdb.DuckDBPyConnection, column: str, table: str) -> dict[str, int]:
    query = f"select {column}, count(*) from {table} group by all order by all"
    return dict(con.execute(query).fetchall())


def _add_pending(landing: Path, status: Status, pending: list[LandedFile]) -> None:
    status.pending_files = len(pending)
    status.pending_bytes = sum(file.size for file in pending)
    arrivals = []
    for file in pending:
        try:
            arrivals.append((landing / file.name).lstat().st_ctime)
        except OSError:
            continue
    if arrivals:
        status.oldest_pending_s = max(0.0, datetime.now(UTC).timestamp() - min(arrivals))


def _problems(status: Status) -> Iterator[Problem]:
    for file, problem in status.quarantined.items():
        yield Problem("quarantined_files", f"Landed file {file} {problem}.")
    for file, problem in status.quarantined_sends.items():
        yield Problem("quarantined_files", f"Send file {file} {problem}.")
    if status.ledger and not status.ledger["balanced"]:
        yield Problem(
            "ledger_unbalanced",
            f"The ledger does not balance: {ledger.describe(status.ledger)}. Nothing is published "
            "until it does; `dlr verify` finds the cause, `dlr rebuild` rebuilds the warehouse.",
        )
    elif status.unpublished:
        yield Problem(
            "publication_stale",
            "The warehouse holds unpublished changes; `dlr run` publishes them.",
        )
    if status.outdated:
        yield Problem(
            "outdated_tables",
            f"{', '.join(status.outdated)}: the SQL, a setting or the reference data behind these "
            "tables has changed since they were computed; `dlr run` recomputes them.",
        )
    if status.decoded_otherwise:
        yield Problem("outdated_decoding", _decoding_problem(status.decoded_otherwise))
    yield from _publication_problems(status.published)
    if status.silence and status.silence.is_unusual:
        yield Problem(
            "no_pushes",
            f"No push has come for {_hours(status.silence.lasted)}; at this hour of the week "
            f"{_hours(status.silence.usual)} is the longest that is usual. Check the proxy, and "
            "the push URL in the provider's console.",
        )
    late = status.oldest_pending_s or 0.0
    if late > LATE_AFTER.total_seconds():
        yield Problem(
            "landed_files_waiting",
            f"{status.pending_files:,} landed file(s) wait for a run, the oldest for "
            f"{late / 3600:.1f} h. Is the schedule running (`dlr up`), and do its runs succeed?",
        )


def _publication_problems(published: dict[str, object]) -> Iterator[Problem]:
    report = published.get("report")
    if published.get("unreadable"):
        yield Problem(
            "manifest_unreadable",
            "exports/manifest.json cannot be read; `dlr run` writes it again.",
        )
    elif published and not isinstance(report, dict):
        yield Problem(
            "report_failed",
            "There is no report because it could not be rendered; `dlr report` says why.",
        )
    elif isinstance(report, dict) and report.get("problem"):
        yield Problem(
            "report_failed",
            f"{report['problem']} Readers have the one as of {report.get('as_of_utc')}Z; the next "
            "run tries again.",
        )


def _hours(time: timedelta) -> str:
    return f"{time / timedelta(hours=1):.1f} h"


def _now_utc() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _newest(pending: list[LandedFile]) -> datetime | None:
    """When the newest pending file came, naive UTC."""
    newest = max((file.changed_ns for file in pending), default=None)
    return (
        None if newest is None else datetime.fromtimestamp(newest / 1e9, UTC).replace(tzinfo=None)
    )


def _decoding_problem(days: list[date | None]) -> str:
    """Which landing days must be decoded again, and how."""
    dated = [day for day in days if day is not None]
    command = f"dlr rebuild --from {dated[0]}" if dated else "dlr rebuild"
    if not dated:
        where = "Files outside the folders of days were"
    elif len(dated) == 1:
        where = f"The landing day {dated[0]} was"
    else:
        where = f"{len(dated)} landing days from {dated[0]} to {dated[-1]} were"
    return f"{where} decoded by rules that changed since; `{command}` decodes them again."
