"""The conservation law: what came in is what is there, or is accounted for.

    records received = rows of core.sms_status + duplicates + conflicts + rejected (+ erased)

It is counted from the tables themselves in every transaction, for the run, over all time, for
each file and each push; ``ops.ledger`` keeps the figures, and nothing is published while they do
not balance.
"""

from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime

import duckdb

from pipelines import models
from pipelines.models.warehouse import reference_version

_WRAP = 2**64


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the pipeline."""

    run_id: str
    started_at: datetime
    """Aware, UTC."""
    provider_timezone: str


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over all time, taken from the tables."""

    pushes: int
    records: int
    messages: int
    duplicates: int
    conflicts: int
    rejected: int
    erased: int

    def balanced(self) -> bool:
        """Whether the law holds."""
        return self.records == (
            self.messages + self.duplicates + self.conflicts + self.rejected + self.erased
        )

    def since(self, before: "Totals") -> "Totals":
        """What was gained."""
        return Totals(*(new - old for new, old in zip(astuple(self), astuple(before), strict=True)))


@dataclass(frozen=True, slots=True)
class Content:
    """Sums of the row hashes of the touched messages, and how many rows there are."""

    messages: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class ContentChange:
    """The touched messages before and after."""

    before: Content
    after: Content
    one_row_each: bool
    """Whether every touched message that has a report has one row, and no other has."""


def totals(con: duckdb.DuckDBPyConnection) -> Totals:
    """Count what the tables hold; the parts of the law come from different tables."""
    row = con.execute(
        """
        select
            (select count(*) from raw.pushes),
            (select coalesce(sum(records), 0)::bigint from raw.pushes),
            (select count(*) from core.sms_status),
            (select count(*) from core.repeated_reports where outcome = 'duplicate'),
            (select count(*) from core.repeated_reports where outcome = 'conflict'),
            (select count(*) from raw.rejected_records),
            0
        """
    ).fetchall()[0]
    return Totals(*row)


def changed_content(con: duckdb.DuckDBPyConnection) -> Content:
    """Hash what stands in ``core.sms_status`` for the touched messages."""
    models.run_temporary(con, ("changed_content",))
    row = con.execute("select sum(messages), sum(low), sum(high) from changed_content").fetchall()
    return Content(*(int(figure or 0) for figure in row[0]))


def reported_messages(con: duckdb.DuckDBPyConnection) -> int:
    """How many of the touched messages have a report."""
    return int(con.execute("select count(*) from winning_reports").fetchall()[0][0])


def content_anew(con: duckdb.DuckDBPyConnection, *, one_row_each: bool) -> ContentChange:
    """Hash all of ``core.sms_status`` and let it stand, whatever the ledger said before."""
    con.execute("create or replace temp table stale_sids as select sid from core.sms_status")
    last = latest(con)
    before = Content(0, _number(last, "content_low"), _number(last, "content_high"))
    return ContentChange(before, changed_content(con), one_row_each)


def fingerprint(low: int, high: int) -> str:
    """The two sums as 32 hexadecimal digits."""
    return f"{high % _WRAP:016x}{low % _WRAP:016x}"


def latest(con: duckdb.DuckDBPyConnection) -> dict[str, object] | None:
    """The newest row of ``ops.ledger`` by column, or None before the first run."""
    cursor = con.execute("from ops.ledger order by sequence desc limit 1")
    names = [column[0] for column in cursor.description or ()]
    rows = cursor.fetchall()
    return dict(zip(names, rows[0], strict=True)) if rows else None


def describe(row: dict[str, object]) -> str:
    """The law over all time, in figures."""
    parts = " + ".join(f"{_number(row, f'total_{name}'):,} {name}" for name in _LAW[1:])
    return f"{_number(row, 'total_records'):,} records received, against {parts}"


def record(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    before: Totals,
    files: int,
    content: ContentChange,
) -> None:
    """Enter a slice; slices of one run add up in one row."""
    after = totals(con)
    last = latest(con)
    old_low, old_high = _number(last, "content_low"), _number(last, "content_high")
    low = (old_low - content.before.low + content.after.low) % _WRAP
    high = (old_high - content.before.high + content.after.high) % _WRAP
    row = _row(run, after.since(before), after, files)
    same_run = last if last and last["run_id"] == run.run_id else None
    for name in ("files", *(field.name for field in fields(Totals))):
        row[name] = _number(row, name) + _number(same_run, name)
    row |= {
        "sequence": _number(last, "sequence") + (0 if same_run else 1),
        "balanced": content.one_row_each and _law_holds(con, after),
        "fingerprint_before": (same_run or {}).get(
            "fingerprint_before", fingerprint(old_low, old_high)
        ),
        "fingerprint": fingerprint(low, high),
        "content_low": low,
        "content_high": high,
        "reference_version": reference_version(),
        "provider_timezone": run.provider_timezone,
    }
    _store(con, row)


def _number(row: dict[str, object] | None, name: str) -> int:
    return int(str(row[name])) if row else 0


def _row(run: Run, gained: Totals, after: Totals, files: int) -> dict[str, object]:
    total = {f"total_{name}": getattr(after, name) for name in _LAW}
    return {
        "run_id": run.run_id,
        "updated_at_utc": datetime.now(UTC).replace(tzinfo=None),
        "started_at_utc": run.started_at.replace(tzinfo=None),
        "files": files,
        **{field.name: getattr(gained, field.name) for field in fields(Totals)},
        **total,
    }


_LAW = ("records", "messages", "duplicates", "conflicts", "rejected", "erased")


def _store(con: duckdb.DuckDBPyConnection, row: dict[str, object]) -> None:
    con.execute("delete from ops.ledger where sequence = ?", [row["sequence"]])
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    con.execute(
        f"insert into ops.ledger ({names}) values ({marks})",
        list(row.values()),
    )
    models.mark_stale(con, models.load_models()["ops.ledger"], "true")


def _law_holds(con: duckdb.DuckDBPyConnection, after: Totals) -> bool:
    """Over all time, and for every push and file."""
    broken_pushes, accepted, broken_files = con.execute(
        """
        select
            count(*) filter (where records <> accepted + duplicates + conflicts + rejected),
            coalesce(sum(accepted), 0)::bigint,
            (select count(*) from ops.ledger_by_file where not balanced)
        from raw.pushes
        """
    ).fetchall()[0]
    unbroken = broken_pushes == broken_files == 0
    return after.balanced() and unbroken and bool(accepted == after.messages)
