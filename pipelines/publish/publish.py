"""The published state: what is due is prepared as a whole, then shown, then remembered.

    due.py        rows that changed, tables of another form, files that were lost or altered
    prepare.py    data files under new names, everything else under hidden ones
    show.py       everything renamed, the manifest last
    stamps.py     what lies there now, so that the next run sees what was altered

Where any of it cannot be prepared, readers keep the old state everywhere. Only the report may be an
older one: numbers never wait for it.
"""

import secrets
from dataclasses import asdict, dataclass

import duckdb
import pandas as pd

from contract.errors import UserError
from contract.settings import Settings
from pipelines.folder.show import analytics_path, manifest_path, preparing, show
from pipelines.load import ledger
from pipelines.load.marts import refresh_marts
from pipelines.models.warehouse import transaction
from pipelines.publish import manifest, stamps
from pipelines.publish.current import sweep_trees
from pipelines.publish.due import (
    Due,
    form_of_publication,
    is_behind,
    latest_publication,
    what_is_due,
)
from pipelines.publish.prepare import Prepared, prepare, render_page

__all__ = ["analytics_path", "can_publish", "is_current", "manifest_path", "publish"]

_PART = {
    "table_name": "string",
    "part_day": "object",
    "from_minute_utc": "datetime64[us]",
    "until_minute_utc": "datetime64[us]",
    "path": "string",
    "rows": "int64",
    "bytes": "int64",
    "sha256": "string",
    "form": "string",
}


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
    """What was missing or altered, and was made again; empty where nothing was."""
    report_problem: str | None = None
    """Why the report could not be rendered, so that the older one stayed; None where it could."""


def publish(con: duckdb.DuckDBPyConnection, settings: Settings) -> Publication:
    """Bring readers to the state of the warehouse; what did not change is left alone.

    Raises UnbalancedError where the conservation law does not hold, PrivacyError where a phone
    number could be seen, OSError or duckdb.Error where there is no room; readers then keep
    everything as it was.
    """
    broken = _broken_law(con)
    if broken:
        raise UnbalancedError(
            f"{broken}. Nothing was published. `dlr verify` names the place, `dlr rebuild` makes "
            "the warehouse anew."
        )
    refresh_marts(con)
    due = what_is_due(con, settings)
    _, problem = latest_publication(con)
    if not due and not problem:
        return Publication(published=False)
    page = render_page(con)
    if not due and page.problem:
        return Publication(published=False, report_problem=page.problem)
    token = secrets.token_hex(4)
    with preparing(settings, token) as folder:
        prepared = prepare(con, settings, due, page, folder, token)
    show(settings)
    done = _outcome(settings, due, prepared, page.problem)
    _remember(con, settings, prepared, done)
    manifest.sweep_files(settings, prepared.manifest)
    sweep_trees(settings, manifest.GRACE_S)
    return done


def _outcome(
    settings: Settings, due: Due, prepared: Prepared, report_problem: str | None
) -> Publication:
    return Publication(
        published=True,
        written=len(prepared.written),
        rows=sum(part.rows for part in prepared.written),
        bytes=sum(part.bytes for part in prepared.written),
        fingerprint=str(prepared.manifest["fingerprint"]),
        repaired=stamps.in_words(settings, due.damaged),
        report_problem=report_problem,
    )


def is_current(con: duckdb.DuckDBPyConnection, settings: Settings) -> bool:
    """Whether a run would publish nothing."""
    _, problem = latest_publication(con)
    return not (problem or is_behind(con) or what_is_due(con, settings))


def can_publish(con: duckdb.DuckDBPyConnection, settings: Settings) -> bool:
    """Whether readers are behind the warehouse, and nothing forbids to publish.

    A report that could not be rendered alone asks for no run: the hourly one tries again.
    """
    behind = is_behind(con) or bool(what_is_due(con, settings))
    return behind and _broken_law(con) is None


def _broken_law(con: duckdb.DuckDBPyConnection) -> str | None:
    """Which run does not balance, of the reports or of the send log; None where both do."""
    for law in (ledger.RECORDS, ledger.SENDS):
        last = ledger.latest(con, law)
        if last is not None and not last["balanced"]:
            return f"Run {last['run_id']} does not balance: {ledger.describe(last, law)}"
    return None


def _remember(
    con: duckdb.DuckDBPyConnection, settings: Settings, prepared: Prepared, done: Publication
) -> None:
    """Note in the warehouse what readers have now, and how it lies there."""
    parts = [asdict(part) for part in prepared.parts]
    con.register("current_parts", pd.DataFrame(parts, columns=list(_PART)).astype(_PART))
    names = ("published_at_utc", "as_of_utc", "fingerprint", "mobile", "schema_version")
    row = {name: prepared.manifest[name] for name in names} | {
        "form": form_of_publication(settings),
        "report_problem": done.report_problem,
        "repaired": done.repaired or None,
    }
    with transaction(con):
        con.execute("delete from ops.stale_parts")
        con.execute("delete from ops.export_parts")
        con.execute("insert into ops.export_parts by name from current_parts")
        con.execute(
            f"insert into ops.publications ({', '.join(row)}) values (?, ?, ?, ?, ?, ?, ?, ?)",
            list(row.values()),
        )
        stamps.remember_stamps(con, settings, [part.path for part in prepared.parts])
    con.unregister("current_parts")
