"""The steps of a verification, in order, and what one hands to the next."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import date
from functools import partial
from pathlib import Path

import duckdb

from contract.settings import Settings
from pipelines.verify import books
from pipelines.verify.compare import plain_columns, stream
from pipelines.verify.findings import Findings, Verification
from pipelines.verify.headers import Table, read_tables
from pipelines.verify.helper import Helper, helper
from pipelines.verify.landed import PROVIDER, KnownFile, Original, lies_in, list_files
from pipelines.verify.manifest import read_publication
from pipelines.verify.pinned import Pinned, all_rows, open_warehouse
from pipelines.verify.recompute import EXPECTED, build, build_core, fingerprint, load, queries
from pipelines.verify.scratch import named_rows
from pipelines.verify.shares import attach_shares, divide, read_share
from pipelines.verify.tasks import (
    State,
    column_names,
    compare_day,
    compare_published,
    compare_tables,
    located,
    open_state,
)

_WORTH_TWO = 16 * 1024**2
"""Landed bytes from which on two processes are faster than one."""
_READ, _BUILT, _TABLES, _PUBLISHED, _STEPS = range(5)
"""What takes time, in order, and how many of it there are."""
_MOST_NAMED = 5
_KNOWN = """
    select file, coalesce(bytes, 0), sha256, coalesce(state, '')
    from {registry}
    where file is not null
    order by file
"""
_ORIGINALS = """
    select container, file, coalesce(offset_bytes, 0), coalesce(bytes, 0), sha256
    from ops.compacted_files
    where file is not null
    order by container, offset_bytes, file
"""


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

    def run(self) -> Verification:
        """Recount and compare."""
        with ExitStack() as stack:
            duck = stack.enter_context(open_warehouse(self._pinned, self._folder, self._settings))
            books.prepare(duck, self._settings)
            landed, sends = self._known_files(duck)
            self._bytes = sum(file.size for file in (*landed, *sends))
            second = stack.enter_context(helper(apart=self._bytes > _WORTH_TWO))
            books.compare_books(duck, self._findings)
            shares = divide(self._folder, self._settings, landed, sends, second.processes)
            self._state = State(self._settings, self._folder, self._pinned, shares, self._day)
            self._read(second)
            self._build(duck, second)
            self._compare(duck, second)
            with closing(open_state(self._state.read, self._settings)) as con:
                self._result.findings = self._findings.all(located(con, self._findings.places()))
            return self._result

    def _known_files(
        self, duck: duckdb.DuckDBPyConnection
    ) -> tuple[list[KnownFile], list[KnownFile]]:
        """Return what is to be read again; counts what the pipeline has not read yet."""
        originals = defaultdict(list)
        for container, *original in all_rows(duck, _ORIGINALS):
            originals[container].append(Original(*original))
        landed = [
            KnownFile(name, size, digest, state, originals[name])
            for name, size, digest, state in all_rows(duck, _KNOWN.format(registry="landed_file"))
        ]
        sends = [KnownFile(*row) for row in all_rows(duck, _KNOWN.format(registry="send_file"))]
        names = {known.name for known in landed}
        names.update(original.name for known in landed for original in known.originals)
        send_names = {file.name for file in sends}
        listed = (n for n in list_files(self._settings.landing, PROVIDER) if lies_in(n, self._day))
        pending = [name for name in listed if name not in names]
        pending_sends = [n for n in list_files(self._settings.sends) if n not in send_names]
        again = [file for file in landed if file.digest and lies_in(file.name, self._day)]
        result = self._result
        result.pending, result.pending_sends = len(pending), len(pending_sends)
        result.waiting = [*pending[:_MOST_NAMED], *pending_sends[:_MOST_NAMED]]
        result.files = len(again)
        return again, [file for file in sends if file.state == "taken"]

    def _progress(self, step: int, share: float) -> None:
        """Every step counts as the bytes once."""
        if self._on_progress is not None:
            self._on_progress(int(self._bytes * (step + share)), _STEPS * self._bytes)

    def _read(self, second: Helper) -> None:
        """Read every line of every known file."""
        first, *others = self._state.shares
        pending = [second.start(read_share, other, silent) for other in others]
        bytes_read = 0

        def advance(size: int) -> None:
            nonlocal bytes_read
            bytes_read += size * (1 + len(others))
            self._progress(_READ, min(1.0, bytes_read / max(1, self._bytes)))

        self._findings.merge(read_share(first, advance))
        for result in pending:
            self._findings.merge(result())
        self._progress(_BUILT, 0.0)

    def _build(self, duck: duckdb.DuckDBPyConnection, second: Helper) -> None:
        """Compute the expected tables; meanwhile the helper compares what is published."""
        state = self._state
        self._stale_marts, stale_files = (
            all_rows(duck, f"select count(*) from ops.{name}")[0][0]
            for name in ("stale_hours", "stale_parts")
        )
        self._result.unpublished = self._stale_marts + stale_files
        publication = read_publication(duck)
        self._shown = publication is not None and not self._result.unpublished
        published = second.start(compare_published, state, publication) if publication else None
        self._recount(duck)
        self._progress(_BUILT, 0.5)
        if not self._stale_marts:
            with closing(open_state(state.marts, self._settings, state.core)) as con:
                build(con, queries(("marts",)))
        if published:
            self._findings.merge(published())
        self._progress(_TABLES, 0.0)

    def _recount(self, duck: duckdb.DuckDBPyConnection) -> None:
        """Compute raw, core and ops; for one day the rest is taken as it stands."""
        state, result = self._state, self._result
        with closing(open_state(state.read, self._settings)) as con:
            attach_shares(con, state.shares)
            taken = "select push_id, file from raw.pushes where push_id is not null"
            load(con, "taken_push", ("push_id", "file"), stream(duck, taken))
            con.execute("create index taken on taken_push (push_id, file)")
            build_core(con)
            con.execute("create index push_by_id on push (push_id)")
            for name, count in _figures(con, "counts").items():
                setattr(result, name, count)
            if self._day is None:
                self._load(duck, con, lambda table: table.exported and table.name[:4] == "ops.")
                sends = _figures(con, "send_totals")
                totals = [("ops.sends_ledger", f"total_{n}", count) for n, count in sends.items()]
                totals.append(("ops.ledger", "pushes", result.pushes))
                books.compare_totals(duck, totals, self._findings)
                books.compare_send_files(duck, con.execute(_sql("send_files")), self._findings)
        with closing(open_state(state.core, self._settings)) as con:
            if self._day is not None:
                self._load(duck, con, lambda table: table.name[:5] != "marts")
            self._compare_totals(duck, con)

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

    def _compare_totals(self, duck: duckdb.DuckDBPyConnection, con: sqlite3.Connection) -> None:
        result = self._result
        result.fingerprint = fingerprint(con)
        names = ("records", "messages", "duplicates", "conflicts", "rejected")
        totals = {name: getattr(result, name) for name in names}
        if self._day is not None:
            [count] = con.execute("select count(*) from core_sms_status").fetchone()
            totals = {"messages": count}
        figures = {"fingerprint": result.fingerprint}
        figures |= {f"total_{name}": total for name, total in totals.items()}
        rows = [("ops.ledger", *figure) for figure in figures.items()]
        books.compare_totals(duck, rows, self._findings)

    def _compare(self, duck: duckdb.DuckDBPyConnection, second: Helper) -> None:
        """Compare what the warehouse holds, and beside it what readers are given."""
        state = self._state
        schemas = ["marts"] if self._day else ["raw", "core", "ops", "marts"]
        if self._stale_marts:
            schemas.remove("marts")
        recounted = queries(schemas)
        names = [table.name for table in self._tables.values() if table.relation in recounted]
        arguments = (state, list(self._verified()), True, silent)
        shown = second.start(compare_tables, *arguments) if self._shown else None
        self._findings.merge(compare_tables(state, names, False, partial(self._progress, _TABLES)))
        if self._day is not None:
            compare_day(state, self._day, duck, self._findings)
        if shown:
            self._findings.merge(shown())
        self._progress(_PUBLISHED, 1.0)

    def _verified(self) -> Iterator[str]:
        """Yield the published tables that are expected; notes what is not."""
        with closing(open_state(self._state.marts, self._settings, self._state.core)) as con:
            for table in (table for table in self._tables.values() if table.exported):
                expected = column_names(con, table.relation)
                missing = [f"{table.name}.{name}" for name in table.columns if name not in expected]
                self._result.unverified += missing if expected else [table.name]
                if expected:
                    yield table.name


def silent(size: float) -> None:
    """Hear of progress in the other process."""


def _sql(name: str) -> str:
    return (EXPECTED / "recount" / f"{name}.sql").read_text("utf-8")


def _figures(con: sqlite3.Connection, name: str) -> dict[str, int]:
    return next(named_rows(con.execute(_sql(name))))
