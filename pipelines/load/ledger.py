"""The conservation laws: what came in is what is there, or is accounted for.

Both are counted from the tables themselves in every transaction, for the run and over all time; the
law of the records for each file and each push, too.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import duckdb

from contract.settings import Settings
from pipelines import models
from pipelines.models.rows import fetch_rows
from pipelines.models.steps import fetch
from pipelines.models.warehouse import reference_version

_WRAP = 2**64
Totals = dict[str, int]
"""Counts over all time by term, taken from the tables."""


@dataclass(frozen=True, slots=True)
class Law:
    """What was received equals the sum of what became of it."""

    table: str
    """Keeps one row a run."""
    totals: str
    """Step that counts the terms."""
    received: str
    outcomes: tuple[str, ...]
    words: str
    """What is received, for people."""

    def holds(self, totals: Totals) -> bool:
        """Whether the law holds over all time."""
        return totals[self.received] == sum(totals[name] for name in self.outcomes)


RECORDS = Law(
    "ops.ledger",
    "record_totals",
    "records",
    ("messages", "duplicates", "conflicts", "rejected", "erased"),
    "records received",
)
SENDS = Law(
    "ops.sends_ledger",
    "send_totals",
    "received",
    ("sends", "repeated", "duplicates", "rejected"),
    "rows of the send log received",
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the pipeline."""

    run_id: str
    started_at: datetime
    """Aware, UTC."""
    settings: Settings


class Content(NamedTuple):
    """Rows of the changed messages, and the sums of their hashes."""

    messages: int
    low: int
    high: int


class ContentChange(NamedTuple):
    """What the sums of the hashes gained."""

    low: int
    high: int
    one_row_each: bool
    """Whether every changed message that has a report has one row, and no other has."""


def changed_content(con: duckdb.DuckDBPyConnection) -> Content:
    """Hash what stands in ``core.sms_status`` for the changed messages."""
    models.run_temporary(con, ("changed_content",))
    row = con.execute("select sum(messages), sum(low), sum(high) from changed_content").fetchall()
    return Content(*(int(figure or 0) for figure in row[0]))


def fingerprint(low: int, high: int) -> str:
    """The two sums as 32 hexadecimal digits."""
    return f"{high % _WRAP:016x}{low % _WRAP:016x}"


def totals(con: duckdb.DuckDBPyConnection, law: Law) -> Totals:
    """Count what the tables hold."""
    return fetch(con, law.totals)[0]


def latest(con: duckdb.DuckDBPyConnection, law: Law = RECORDS) -> dict[str, Any] | None:
    """The newest row of a ledger by column, or None before the first run."""
    rows = fetch_rows(con, f"from {law.table} order by sequence desc limit 1")
    return rows[0] if rows else None


def describe(row: dict[str, Any], law: Law = RECORDS) -> str:
    """The law over all time, in figures."""
    terms = " + ".join(f"{row[f'total_{name}']:,} {name}" for name in law.outcomes)
    return f"{row[f'total_{law.received}']:,} {law.words}, against {terms}"


def record(
    con: duckdb.DuckDBPyConnection, run: Run, before: Totals, files: int, content: ContentChange
) -> None:
    """Enter a batch of landed files, and bring the fingerprint up to date."""
    after, last = totals(con, RECORDS), latest(con) or {}
    old_low, old_high = last.get("content_low", 0), last.get("content_high", 0)
    low, high = (old_low + content.low) % _WRAP, (old_high + content.high) % _WRAP
    entry = {
        "started_at_utc": run.started_at.replace(tzinfo=None),
        "updated_at_utc": datetime.now(UTC).replace(tzinfo=None),
        "balanced": content.one_row_each and _law_holds(con, after),
        "fingerprint_before": fingerprint(old_low, old_high),
        "fingerprint": fingerprint(low, high),
        "content_low": low,
        "content_high": high,
        "reference_version": reference_version(),
        "provider_timezone": run.settings.provider_timezone,
    }
    if last.get("run_id") == run.run_id:
        entry["fingerprint_before"] = last["fingerprint_before"]
    _enter(con, RECORDS, run, before, after, entry | {"files": files})


def record_sends(con: duckdb.DuckDBPyConnection, run: Run, before: Totals, files: int) -> None:
    """Enter a batch that read files of the send log."""
    after = totals(con, SENDS)
    timezone = run.settings.sends_timezone
    entry = {"files": files, "balanced": SENDS.holds(after), "sends_timezone": timezone}
    _enter(con, SENDS, run, before, after, entry)


def record_anew(con: duckdb.DuckDBPyConnection, run: Run, *, one_row_each: bool) -> None:
    """Hash all of ``core.sms_status`` and let it stand, whatever the ledger said before.

    What was made again may have been tampered with before.
    """
    con.execute("create or replace temp table stale_sids as select sid from core.sms_status")
    last, (_, low, high) = latest(con) or {}, changed_content(con)
    low, high = low - last.get("content_low", 0), high - last.get("content_high", 0)
    record(con, run, totals(con, RECORDS), 0, ContentChange(low, high, one_row_each))


def _law_holds(con: duckdb.DuckDBPyConnection, after: Totals) -> bool:
    """Over all time, and for every push and file."""
    [broken] = fetch(con, "broken_law")
    unbroken = broken["pushes"] == broken["files"] == 0
    return RECORDS.holds(after) and unbroken and bool(broken["accepted"] == after["messages"])


def _enter(
    con: duckdb.DuckDBPyConnection,
    law: Law,
    run: Run,
    before: Totals,
    after: Totals,
    entry: dict[str, Any],
) -> None:
    """Enter a batch; batches of one run add up in one row."""
    last = latest(con, law)
    same_run = last if last and last["run_id"] == run.run_id else None
    gained = {"files": entry["files"]} | {name: after[name] - before[name] for name in after}
    sequence = (last["sequence"] if last else 0) + (0 if same_run else 1)
    row = entry | {
        "sequence": sequence,
        "run_id": run.run_id,
        **{name: gain + (same_run[name] if same_run else 0) for name, gain in gained.items()},
        **{f"total_{name}": after[name] for name in (law.received, *law.outcomes)},
    }
    con.execute(f"delete from {law.table} where sequence = ?", [sequence])
    marks = ", ".join("?" * len(row))
    con.execute(f"insert into {law.table} ({', '.join(row)}) values ({marks})", list(row.values()))
    models.mark_stale(con, models.load_models()[law.table], "true")
