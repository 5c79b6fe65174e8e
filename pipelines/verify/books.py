"""The ledger: every figure follows from the run before, and the last one from the recount."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import duckdb

from ingest.settings import Settings
from pipelines.verify.codes import reference_version
from pipelines.verify.content import Content, fingerprint
from pipelines.verify.findings import Findings, Verification
from pipelines.verify.tables import stream

_LEDGER, _FILES = "ops.ledger", "ops.files"
_LAW = ("records", "messages", "duplicates", "conflicts", "rejected", "erased")
_QUERY = """
    select ledger.*, coalesce(seen.n, 0) as files_seen
    from ops.ledger as ledger
    left join (
        select run_id, count(*) as n
        from (select run_id from ops.files union all select run_id from ops.compacted_files)
        group by run_id
    ) as seen
        on seen.run_id = ledger.run_id
    order by ledger.sequence, ledger.run_id
"""
_PUSHES_BY_FILE = """
    select files.file, files.pushes, coalesce(found.n, 0)
    from ops.files as files
    left join (select file, count(*) as n from raw.pushes group by file) as found
        on found.file = files.file
    where files.pushes is distinct from coalesce(found.n, 0)
    order by files.file
"""
_UNKNOWN_RUNS = """
    select file, run_id from ops.files
    where state is distinct from 'compacted'
        and (
            run_id is null
            or run_id not in (select run_id from ops.ledger where run_id is not null)
        )
    order by file
"""
_FIRST: dict[str, Any] = {
    "run_id": "none",
    "sequence": 0,
    "fingerprint": fingerprint(0, 0),
    **{f"total_{name}": 0 for name in _LAW},
}
"""What stands before the first run."""


@dataclass(slots=True)
class Books:
    """The ledger as it was read."""

    last: dict[str, Any] = field(default_factory=lambda: dict(_FIRST))
    """Newest row by column."""
    pushes: int = 0
    """Pushes gained in all runs."""


def read_books(con: duckdb.DuckDBPyConnection, findings: Findings) -> Books:
    """Read the ledger run by run; what does not follow from the run before is found."""
    books = Books()
    for row in _runs(con):
        for sentence in _faults(row, books.last):
            findings.add(_LEDGER, f"run {row['run_id']}: {sentence}.", "run")
        books.pushes += row["pushes"] or 0
        books.last = row
    # a file that is read again counts for its last run: only that one has all of its files
    if books.last["sequence"] and (books.last["files"] or 0) > books.last["files_seen"]:
        findings.add(
            _LEDGER,
            f"run {books.last['run_id']}: files is {books.last['files']}, but {_FILES} has "
            f"{books.last['files_seen']} of this run.",
            "files",
        )
    for rows in stream(con, _PUSHES_BY_FILE):
        for name, said, found in rows:
            sentence = f"{name}: pushes is {said}, but raw.pushes has {found} of this file."
            findings.add(_FILES, sentence, "pushes")
    for rows in stream(con, _UNKNOWN_RUNS):
        for name, run_id in rows:
            findings.add(_FILES, f"{name}: its run {run_id} is not in {_LEDGER}.", "run")
    return books


def _runs(con: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    names = [column[0] for column in con.execute(f"{_QUERY} limit 0").description or ()]
    for rows in stream(con, _QUERY):
        for row in rows:
            yield dict(zip(names, row, strict=True))


def _faults(row: dict[str, Any], before: dict[str, Any]) -> Iterator[str]:
    """Yield what in a run's row contradicts itself or the run before."""
    expected = {
        "sequence": before["sequence"] + 1,
        "fingerprint_before": before["fingerprint"],
        "fingerprint": fingerprint(row["content_low"] or 0, row["content_high"] or 0),
        "balanced": True,
        **{f"total_{name}": (before[f"total_{name}"] or 0) + (row[name] or 0) for name in _LAW},
    }
    for name, value in expected.items():
        if row[name] != value:
            yield f"{name} is {row[name]}, expected {value}"
    for prefix, time in (("", "in the run"), ("total_", "over all time")):
        received, *accounted = (row[prefix + name] or 0 for name in _LAW)
        if received != sum(accounted):
            yield f"{received:,} records received {time}, {sum(accounted):,} accounted for"
    if (row["files"] or 0) < row["files_seen"]:
        yield f"files is {row['files']}, but {_FILES} has {row['files_seen']} of this run"
    if (
        not row["started_at_utc"]
        or not row["updated_at_utc"]
        or (row["updated_at_utc"] < row["started_at_utc"])
    ):
        yield f"it began at {row['started_at_utc']} and ended at {row['updated_at_utc']}"


def compare_content(books: Books, content: Content, findings: Findings) -> None:
    """Compare the newest row with what ``core.sms_status`` holds."""
    last = books.last
    if last["fingerprint"] != content.fingerprint:
        findings.add(
            _LEDGER,
            f"run {last['run_id']}: fingerprint is {last['fingerprint']}, but the rows of "
            f"core.sms_status have {content.fingerprint}.",
        )
    if last["total_messages"] != content.rows:
        findings.add(
            _LEDGER,
            f"run {last['run_id']}: total_messages is {last['total_messages']}, but "
            f"core.sms_status has {content.rows} rows.",
        )


def compare_recount(books: Books, recount: Verification, findings: Findings) -> None:
    """Compare the newest row with what the landed files give."""
    for name in ("records", "messages", "duplicates", "conflicts", "rejected"):
        said, counted = books.last[f"total_{name}"], getattr(recount, name)
        if said != counted:
            findings.add(
                _LEDGER,
                f"run {books.last['run_id']}: total_{name} is {said}, but the landed files give "
                f"{counted}.",
            )
    if books.pushes != recount.pushes:
        findings.add(
            _LEDGER,
            f"pushes of all runs add up to {books.pushes}, but the landed files hold "
            f"{recount.pushes}.",
        )


def compare_rules(books: Books, settings: Settings, findings: Findings) -> None:
    """Compare what the last run worked with, and what this recount works with."""
    if not books.last["sequence"]:
        return
    for name, now in (
        ("reference_version", reference_version()),
        ("provider_timezone", settings.provider_timezone),
    ):
        if books.last[name] != now:
            findings.add(
                _LEDGER,
                f"run {books.last['run_id']}: {name} is {books.last[name]}, but now it is {now}; "
                "if that was meant, `dlr rebuild` brings all rows to it.",
            )
