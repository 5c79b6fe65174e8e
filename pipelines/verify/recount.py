"""The steps of a verification, in order, and what one hands to the next."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from contract.settings import Settings
from pipelines.verify import published
from pipelines.verify.books import (
    Run,
    compare_books,
    compare_pushes,
    compare_sends,
    compare_totals,
)
from pipelines.verify.compare import plain_columns, stream
from pipelines.verify.findings import Findings, Verification
from pipelines.verify.headers import Table, read_tables
from pipelines.verify.helper import Helper
from pipelines.verify.landed import PROVIDER, KnownFile, Original, lies_in, list_files
from pipelines.verify.pinned import Pinned, all_rows, open_warehouse
from pipelines.verify.recompute import build, build_core, fingerprint, load, queries
from pipelines.verify.shares import SendFile, attach_shares, divide, read_share
from pipelines.verify.tasks import (
    State,
    column_names,
    compare_day,
    compare_tables,
    look_published,
    open_state,
)

_WORTH_TWO = 16 * 1024**2
"""Landed bytes from which on two processes are faster than one."""
_READ, _BUILT, _TABLES, _PUBLISHED, _STEPS = range(5)
"""What takes time, in order, and how many of it there are."""
_MOST_NAMED = 5
_KNOWN = """
    with original as (
        select
            container,
            list(file order by offset_bytes, file) as files,
            list(coalesce(offset_bytes, 0) order by offset_bytes, file) as offsets,
            list(coalesce(bytes, 0) order by offset_bytes, file) as sizes,
            list(sha256 order by offset_bytes, file) as digests
        from ops.compacted_files
        where file is not null
        group by container
    )
    select
        files.file, coalesce(files.bytes, 0), files.sha256, coalesce(files.state, ''),
        coalesce(original.files, []), coalesce(original.offsets, []),
        coalesce(original.sizes, []), coalesce(original.digests, [])
    from ops.files as files
    left join original
        on original.container = files.file
    where files.file is not null
    order by files.file
"""
_SEND_FILES = """
    select file, coalesce(bytes, 0), sha256, state from ops.send_files
    where file is not null
    order by file
"""
_COUNTS = """
    select
        (select count(*) from push) as pushes,
        (select coalesce(sum(records), 0) from push) as records,
        (select count(*) from core_sms_status) as messages,
        (select coalesce(sum(copy_of_content > 1), 0) from copy) as duplicates,
        (select coalesce(sum(copy_of_content = 1 and copy_of_sid > 1), 0) from copy) as conflicts,
        (select coalesce(sum(rejected), 0) from push) as rejected,
        (select count(*) from send) as sends
"""
_SEND_COUNTS = """
    select
        (select count(*) from send) + (select count(*) from rejected_send) as received,
        (select count(*) from sent where not repeated) as sends,
        (select count(*) from sent where repeated) as repeated,
        (select coalesce(sum(copies - 1), 0) from sent) as duplicates,
        (select count(*) from rejected_send) as rejected
"""
_SENDS_BY_FILE = """
    with row as (
        select file, 0 as is_reject from send union all select file, 1 from rejected_send
    )
    select file, count(*), sum(is_reject) from row group by file
"""


def _known(columns: Iterable[Any]) -> KnownFile:
    name, size, digest, state, *originals = columns
    return KnownFile(
        name, size, digest, state, [Original(*o) for o in zip(*originals, strict=True)]
    )


class Recount:
    """One verification."""

    def __init__(
        self,
        settings: Settings,
        pinned: Pinned,
        folder: Path,
        day: date | None,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        self._settings, self._pinned, self._folder, self._day = settings, pinned, folder, day
        self._on_progress = on_progress
        self._findings = Findings()
        self._result = Verification()
        self._tables = read_tables()
        self._last: Run = {}
        self._unstored = self._unshown = 0

    def run(self) -> Verification:
        """Recount and compare."""
        with ExitStack() as stack:
            duck = stack.enter_context(open_warehouse(self._pinned, self._folder, self._settings))
            known, sends = self._files(duck)
            self._bytes = sum(one.size for one in known) + sum(one.size for one in sends)
            helper = stack.enter_context(Helper(apart=self._bytes > _WORTH_TWO))
            self._last = compare_books(duck, self._settings, self._findings)
            shares = divide(self._folder, self._settings, known, sends, helper.hands)
            self._state = State(self._settings, self._folder, self._pinned, shares, self._day)
            self._read(helper)
            self._build(duck, helper)
            self._compare(duck, helper)
            return self._finish()

    def _files(self, duck: duckdb.DuckDBPyConnection) -> tuple[list[KnownFile], list[SendFile]]:
        """Return what is to be read again; counts what waits to be read the first time."""
        landing, day = self._settings.landing, self._day
        known = [_known(row) for row in all_rows(duck, _KNOWN)]
        sends = [SendFile(*row) for row in all_rows(duck, _SEND_FILES)]
        names = {one.name for one in known} | {o.name for one in known for o in one.originals}
        waiting = [
            name
            for name in list_files(landing, PROVIDER)
            if name not in names and lies_in(name, day)
        ]
        send_names = {one.name for one in sends}
        waiting_sends = [
            name for name in list_files(self._settings.sends) if name not in send_names
        ]
        result = self._result
        result.pending, result.pending_sends = len(waiting), len(waiting_sends)
        result.waiting = [*waiting[:_MOST_NAMED], *waiting_sends[:_MOST_NAMED]]
        read = [one for one in known if one.digest and lies_in(one.name, day)]
        result.files = len(read)
        return read, [one for one in sends if one.state == "taken"]

    def _progress(self, step: int, share: float) -> None:
        """Every step counts as the bytes once."""
        if self._on_progress is not None:
            self._on_progress(int(self._bytes * (step + share)), _STEPS * self._bytes)

    def _read(self, helper: Helper) -> None:
        """Read every line of every known file."""
        first, *others = self._state.shares
        waiting = [helper.start(read_share, other, silent) for other in others]
        total = max(1, self._bytes)
        done = 0

        def advance(size: int) -> None:
            nonlocal done
            done += size * (1 + len(others))
            self._progress(_READ, min(1.0, done / total))

        self._findings.merge(read_share(first, advance))
        for result in waiting:
            self._findings.merge(result())
        self._progress(_BUILT, 0.0)

    def _build(self, duck: duckdb.DuckDBPyConnection, helper: Helper) -> None:
        """Compute the expected tables; meanwhile the helper looks through what is published."""
        state = self._state
        self._unstored, self._unshown = (
            all_rows(duck, f"select count(*) from ops.{name}")[0][0]
            for name in ("stale_hours", "stale_parts")
        )
        self._result.unpublished = self._unstored + self._unshown
        books = published.read_books(duck)
        looked = helper.start(look_published, state, books) if books else None
        self._recount(duck)
        self._progress(_BUILT, 0.5)
        if not self._unstored:
            with closing(open_state(state.marts, self._settings, state.core)) as con:
                build(con, queries(("marts",)))
        if looked:
            self._findings.merge(looked())
        self._shown = books is not None and not self._result.unpublished
        self._progress(_TABLES, 0.0)

    def _recount(self, duck: duckdb.DuckDBPyConnection) -> None:
        state, whole = self._state, self._day is None
        with closing(open_state(state.read, self._settings)) as con:
            attach_shares(con, state.shares)
            taken = "select push_id, file from raw.pushes where push_id is not null"
            load(con, "taken_push", ("push_id", "file"), stream(duck, taken))
            con.execute("create index taken on taken_push (push_id, file)")
            build_core(con)
            con.execute("create index push_by_id on push (push_id)")
            self._count(con)
            if whole:
                self._load(duck, con, lambda table: table.exported and table.name[:4] == "ops.")
                by_file = {row[0]: row[1:] for row in con.execute(_SENDS_BY_FILE)}
                compare_sends(duck, _one(con, _SEND_COUNTS), by_file, self._findings)
                compare_pushes(duck, self._result.pushes, self._findings)
        if not whole:
            with closing(open_state(state.core, self._settings)) as con:
                self._load(duck, con, lambda table: table.name[:5] != "marts")
        with closing(open_state(state.core, self._settings)) as con:
            self._compare_totals(con)

    def _count(self, con: sqlite3.Connection) -> None:
        for name, count in _one(con, _COUNTS).items():
            setattr(self._result, name, count)

    def _load(
        self,
        duck: duckdb.DuckDBPyConnection,
        con: sqlite3.Connection,
        wanted: Callable[[Table], bool],
    ) -> None:
        """Take tables as the warehouse has them, where they are not recounted."""
        there = {row[0] for row in con.execute("select name from sqlite_master")}
        for table in self._tables.values():
            if wanted(table) and table.relation not in there:
                rows = stream(duck, f"select {plain_columns(table.columns)} from {table.name}")
                load(con, table.relation, table.columns, rows)

    def _compare_totals(self, con: sqlite3.Connection) -> None:
        result = self._result
        result.fingerprint = fingerprint(con)
        figures: dict[str, object] = {"fingerprint": result.fingerprint}
        if self._day is None:
            names = ("records", "messages", "duplicates", "conflicts", "rejected")
            figures |= {f"total_{name}": getattr(result, name) for name in names}
        else:
            count = con.execute("select count(*) from core_sms_status").fetchone()[0]
            figures["total_messages"] = count
        compare_totals(self._last, figures, self._findings)

    def _compare(self, duck: duckdb.DuckDBPyConnection, helper: Helper) -> None:
        """Compare what stands in the warehouse, and beside it what readers are given."""
        state = self._state
        recounted = queries(("raw", "core", "ops", "marts"))
        names = [one.name for one in self._tables.values() if one.relation in recounted]
        if self._unstored:
            names = [name for name in names if not name.startswith("marts.")]
        if self._day is not None:
            names = [name for name in names if name.startswith("marts.")]
        arguments = (state, self._verified(), True, silent)
        looked = helper.start(compare_tables, *arguments) if self._shown else None
        self._findings.merge(compare_tables(state, names, False, partial(self._progress, _TABLES)))
        if self._day is not None:
            compare_day(state, self._day, duck, self._findings)
        if looked:
            self._findings.merge(looked())
        self._progress(_PUBLISHED, 1.0)

    def _verified(self) -> list[str]:
        """Return the published tables that are expected; names what is not."""
        names = []
        with closing(open_state(self._state.marts, self._settings, self._state.core)) as con:
            for table in (one for one in self._tables.values() if one.exported):
                expected = column_names(con, table.relation)
                missing = [name for name in table.columns if name not in expected]
                if expected:
                    names.append(table.name)
                    self._result.unverified += [f"{table.name}.{name}" for name in missing]
                else:
                    self._result.unverified.append(table.name)
        return names

    def _finish(self) -> Verification:
        with closing(open_state(self._state.read, self._settings)) as con:
            self._result.findings = self._findings.all(_located(con, self._findings.places()))
        return self._result


def silent(size: int) -> None:
    """Hear of progress in another process."""


def _one(con: sqlite3.Connection, query: str) -> dict[str, int]:
    """Return the only row of a query by its columns."""
    cursor = con.execute(query)
    names = [column[0] for column in cursor.description]
    return dict(zip(names, cursor.fetchone(), strict=True))


def _located(con: sqlite3.Connection, lines: Iterable[int]) -> dict[int, str]:
    """Say in words where lines lie."""
    query = "select file, number, push_id from push where line = ?"
    found = {line: con.execute(query, (line,)).fetchone() for line in lines}
    return {
        line: f"landing/{row[0]}, line {row[1]}, push {row[2]}"
        for line, row in found.items()
        if row
    }
