"""The pipeline's own books: every figure follows from the run before, the last from the recount."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import PurePath
from typing import Any

import duckdb

from contract.settings import Settings
from pipelines.verify.codes import reference_version
from pipelines.verify.findings import Findings

_LEDGER, _SENDS, _FILES = "ops.ledger", "ops.sends_ledger", "ops.files"
_LAW = ("records", "messages", "duplicates", "conflicts", "rejected", "erased")
_SENDS_LAW = ("received", "sends", "repeated", "duplicates", "rejected")
_NO_CONTENT = "0" * 32
_WHATS = "'category', 'country', 'operator', 'delivered', 'event_time', 'new', 'gone', 'reject'"
_FAULTS = {
    (_FILES, "pushes"): """
        with taken as (select file, count(*) as n from raw.pushes group by file)
        select
            files.file,
            'pushes is ' || coalesce(files.pushes::varchar, 'null') || ', but raw.pushes has '
                || coalesce(taken.n, 0) || ' of this file'
        from ops.files as files
        left join taken
            on taken.file = files.file
        where files.pushes is distinct from coalesce(taken.n, 0)
    """,
    (_FILES, "run"): """
        select file, 'its run ' || coalesce(run_id, 'null') || ' is not in ops.ledger'
        from ops.files
        where state is distinct from 'compacted'
            and (run_id in (select run_id from ops.ledger)) is not true
    """,
    (_FILES, "state"): """
        select file, 'state ' || coalesce(state, 'null') || ' and problem do not go together'
        from ops.files
        where (problem is null and state in ('taken', 'compacted')
            or problem is not null and state in ('quarantined', 'set_apart')) is not true
    """,
    (_FILES, "container"): """
        select file, 'it is compacted, but ops.compacted_files has nothing in it'
        from ops.files
        where state = 'compacted'
            and file not in (select container from ops.compacted_files where container is not null)
    """,
    ("ops.compacted_files", "container"): """
        select file, 'its container ' || coalesce(container, 'null') || ' is not in ops.files'
        from ops.compacted_files
        where (container in (select file from ops.files)) is not true
    """,
    ("ops.compacted_files", "run"): """
        select file, 'its run ' || run_id || ' is not in ops.ledger'
        from ops.compacted_files
        where run_id not in (select run_id from ops.ledger where run_id is not null)
    """,
    ("ops.send_files", "run"): """
        select file, 'its run ' || coalesce(run_id, 'null') || ' is not in ops.sends_ledger'
        from ops.send_files
        where (run_id in (select run_id from ops.sends_ledger)) is not true
    """,
    ("ops.send_files", "state"): """
        select file, 'state ' || coalesce(state, 'null') || ' and problem do not go together'
        from ops.send_files
        where (problem is null and state = 'taken'
            or problem is not null and state in ('quarantined', 'set_apart')) is not true
    """,
    ("ops.rebuild_changes", "row"): f"""
        select
            coalesce(run_id, 'null'),
            'a change of ' || coalesce(what, 'null') || ' in ' || coalesce(rows::varchar, 'null')
                || ' rows is none that a run makes'
        from ops.rebuild_changes
        where (rows > 0 and what in ({_WHATS}) and run_id in (select run_id from ops.ledger)
            and found_at_utc is not null) is not true
    """,
}
"""What in a book contradicts itself or another: name of the row, and a sentence."""

Run = dict[str, Any]


def compare_books(con: duckdb.DuckDBPyConnection, settings: Settings, findings: Findings) -> Run:
    """Compare every book with itself and the others; returns the newest run of the ledger."""
    for (where, kind), query in _FAULTS.items():
        for name, sentence in con.execute(f"{query} order by 1, 2").fetchall():
            findings.add(where, f"{name}: {sentence}.", kind)
    _compare_days(con, findings)
    last = _compare_chain(con, _LEDGER, _LAW, findings)
    _compare_settings(_LEDGER, last, _now(settings), findings)
    last_sends = _compare_chain(con, _SENDS, _SENDS_LAW, findings)
    _compare_settings(_SENDS, last_sends, {"sends_timezone": settings.sends_timezone}, findings)
    return last


def _now(settings: Settings) -> dict[str, str]:
    zone = settings.provider_timezone
    return {"reference_version": reference_version(), "provider_timezone": zone}


def _compare_days(con: duckdb.DuckDBPyConnection, findings: Findings) -> None:
    for table in (_FILES, "ops.compacted_files"):
        for name, day in con.execute(
            f"select file, landing_day from {table} order by 1"
        ).fetchall():
            if name is not None and day != _day_of(name):
                sentence = f"{name}: landing_day is {day}, expected {_day_of(name)}."
                findings.add(table, sentence, "day")


def _day_of(name: str) -> date | None:
    try:
        return date.fromisoformat(PurePath(name).parent.name)
    except ValueError:
        return None


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[Run]:
    cursor = con.execute(query)
    names = [column[0] for column in cursor.description or ()]
    for row in cursor.fetchall():
        yield dict(zip(names, row, strict=True))


def _compare_chain(
    con: duckdb.DuckDBPyConnection, table: str, law: Sequence[str], findings: Findings
) -> Run:
    """Find what does not follow from the run before; returns the newest one."""
    before: Run = {"run_id": "none", "sequence": 0, "fingerprint": _NO_CONTENT}
    before |= {f"total_{name}": 0 for name in law}
    seen = _files_of_runs(con, table)
    for row in _rows(con, f"select * from {table} order by sequence, run_id"):
        faults = [*_figure_faults(row, before, law), *_file_faults(row, seen, table)]
        for sentence in faults:
            findings.add(table, f"run {row['run_id']}: {sentence}.", "run")
        before = row
    # a file that is read again counts for its last run: only that one has all of its files
    newest = seen.get(before["run_id"], 0)
    if before["sequence"] and (before["files"] or 0) > newest:
        sentence = f"files is {before['files']}, but {newest} files are of this run"
        findings.add(table, f"run {before['run_id']}: {sentence}.", "files")
    return before


def _files_of_runs(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, int]:
    source = (
        "select run_id from ops.files union all select run_id from ops.compacted_files"
        if table == _LEDGER
        else "select run_id from ops.send_files"
    )
    return dict(con.execute(f"select run_id, count(*) from ({source}) group by all").fetchall())


def _figure_faults(row: Run, before: Run, law: Sequence[str]) -> Iterator[str]:
    expected: Run = {"sequence": (before["sequence"] or 0) + 1, "balanced": True}
    for name in law:
        expected[f"total_{name}"] = (before[f"total_{name}"] or 0) + (row[name] or 0)
    if "fingerprint" in row:
        low, high = row["content_low"] or 0, row["content_high"] or 0
        expected |= {
            "fingerprint_before": before["fingerprint"],
            "fingerprint": f"{high:016x}{low:016x}",
        }
    for name, value in expected.items():
        if row[name] != value:
            yield f"{name} is {row[name]}, expected {value}"
    for prefix, time in (("", "in the run"), ("total_", "over all time")):
        received, *accounted = (row[prefix + name] or 0 for name in law)
        if received != sum(accounted):
            yield f"{received:,} received {time}, {sum(accounted):,} accounted for"


def _file_faults(row: Run, seen: dict[str, int], table: str) -> Iterator[str]:
    here = seen.get(row["run_id"], 0)
    if (row["files"] or 0) < here:
        yield f"files is {row['files']}, but {here} files are of this run"
    if table == _LEDGER:
        begin, end = row["started_at_utc"], row["updated_at_utc"]
        if not begin or not end or end < begin:
            yield f"it began at {begin} and ended at {end}"


def _compare_settings(table: str, last: Run, now: dict[str, str], findings: Findings) -> None:
    """Compare what the last run worked with, and what this recount works with."""
    for name, value in now.items():
        if last["sequence"] and last[name] != value:
            findings.add(
                table,
                f"run {last['run_id']}: {name} is {last[name]}, but now it is {value}; "
                "if that was meant, `dlr run` or `dlr rebuild` brings all rows to it.",
            )


def compare_totals(last: Run, figures: dict[str, object], findings: Findings) -> None:
    """Compare the newest run of the ledger with what the recount gives."""
    for name, counted in figures.items():
        if last[name] != counted:
            sentence = f"{name} is {last[name]}, but the recount gives {counted}."
            findings.add(_LEDGER, f"run {last['run_id']}: {sentence}", name)


def compare_pushes(con: duckdb.DuckDBPyConnection, counted: int, findings: Findings) -> None:
    """Compare the pushes of all runs with those that landed."""
    pushes = con.execute("select coalesce(sum(pushes), 0) from ops.ledger").fetchall()[0][0]
    if pushes != counted:
        sentence = f"{pushes}, but the landed files hold {counted}."
        findings.add(_LEDGER, f"pushes of all runs add up to {sentence}", "pushes")


def compare_sends(
    con: duckdb.DuckDBPyConnection,
    totals: dict[str, int],
    by_file: dict[str, tuple[int, int]],
    findings: Findings,
) -> None:
    """Compare the books of the send log with what its files give: rows received and rejected."""
    rows = list(_rows(con, f"select * from {_SENDS} order by sequence desc limit 1"))
    for name, counted in totals.items():
        said = rows[0][f"total_{name}"] if rows else 0
        if said != counted:
            sentence = f"total_{name} is {said}, but the send files give {counted}."
            findings.add(_SENDS, sentence, name)
    for file in _rows(con, "select * from ops.send_files order by file"):
        counts = by_file.get(file["file"], (0, 0))
        for name, counted in zip(("received", "rejected"), counts, strict=True):
            if file[name] != counted:
                sentence = f"{name} is {file[name]}, but its rows give {counted}."
                findings.add("ops.send_files", f"{file['file']}: {sentence}", name)
