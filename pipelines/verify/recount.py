"""The steps of a verification, in order, and what one hands to the next."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import date

import duckdb

from pipelines.verify import books
from pipelines.verify.compare import Comparison, column_names, fetch
from pipelines.verify.findings import Findings, Verification
from pipelines.verify.headers import read_tables
from pipelines.verify.helper import Helper, start_helper
from pipelines.verify.landed import PROVIDER, KnownFile, Original, lies_in, list_files
from pipelines.verify.manifest import read_publication
from pipelines.verify.pinned import Pinned
from pipelines.verify.recompute import build, build_core, fingerprint, queries, recount_query
from pipelines.verify.scratch import named_rows, store
from pipelines.verify.shares import Share, attach_shares, divide, read_share
from pipelines.verify.tasks import (
    CORE,
    DAY,
    MARTS,
    compare_day,
    compare_published,
    compare_shown,
    open_tables,
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
_STALE = "select (select count(*) from ops.stale_hours), (select count(*) from ops.stale_parts)"
_LINE = "select file, number, push_id from push where line = ?"


class Recount:
    """One verification."""

    def __init__(
        self,
        pinned: Pinned,
        duck: duckdb.DuckDBPyConnection,
        day: date | None,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        self._pinned, self._duck, self._day = pinned, duck, day
        self._on_progress = on_progress
        self._findings, self._result = Findings(), Verification()
        # of a single day, raw, core and ops are recounted apart from those that the marts read
        self._recounted = CORE if day is None else DAY

    def run(self) -> Verification:
        """Recount and compare."""
        books.prepare(self._duck, self._pinned.settings)
        landed, sends = self._known_files()
        self._bytes = sum(file.size for file in (*landed, *sends))
        with start_helper(apart=self._bytes > _WORTH_TWO) as helper:
            self._findings.add_all(books.compare_books(self._duck))
            shares = divide(
                self._pinned.folder, self._pinned.settings, landed, sends, helper.processes
            )
            self._read(helper, shares)
            self._build(helper, shares)
            self._compare(helper)
        with closing(open_tables(self._pinned, self._recounted)) as con:

            def line_text(line: int) -> str:
                push = con.execute(_LINE, (line,)).fetchone()
                return "landing/{}, line {}, push {}".format(*push) if push else ""

            self._result.findings = self._findings.all(line_text)
        return self._result

    def _known_files(self) -> tuple[list[KnownFile], list[KnownFile]]:
        """Return the files to read again; count those that the pipeline has not read yet."""
        originals = defaultdict(list)
        for container, *original in self._duck.execute(_ORIGINALS).fetchall():
            originals[container].append(Original(*original))

        def registered(registry: str) -> list[KnownFile]:
            rows = self._duck.execute(_KNOWN.format(registry=registry)).fetchall()
            return [
                KnownFile(name, size, digest, state, originals[name])
                for name, size, digest, state in rows
            ]

        landed, sends = registered("landed_file"), registered("send_file")
        names = {known.name for known in landed}
        names |= {original.name for known in landed for original in known.originals}
        send_names = {file.name for file in sends}
        settings, result = self._pinned.settings, self._result
        listed = (n for n in list_files(settings.landing, PROVIDER) if lies_in(n, self._day))
        pending = [name for name in listed if name not in names]
        pending_sends = [name for name in list_files(settings.sends) if name not in send_names]
        result.pending, result.pending_sends = len(pending), len(pending_sends)
        result.waiting = [*pending[:_MOST_NAMED], *pending_sends[:_MOST_NAMED]]
        landed = [file for file in landed if file.digest and lies_in(file.name, self._day)]
        result.files = len(landed)
        return landed, [file for file in sends if file.state == "taken"]

    def _progress(self, step: int, share: float) -> None:
        """Report progress; every step counts as the bytes once."""
        if self._on_progress is not None:
            self._on_progress(int(self._bytes * (step + share)), _STEPS * self._bytes)

    def _read(self, helper: Helper, shares: list[Share]) -> None:
        """Read every line of every known file."""
        first, *others = shares
        results = [helper.start(read_share, other) for other in others]
        bytes_read = 0

        def advance(size: int) -> None:
            nonlocal bytes_read
            bytes_read += size * len(shares)
            self._progress(_READ, min(1.0, bytes_read / max(1, self._bytes)))

        self._findings.merge(read_share(first, advance))
        for result in results:
            self._findings.merge(result())
        self._progress(_BUILT, 0.0)

    def _build(self, helper: Helper, shares: list[Share]) -> None:
        """Compute the expected tables; meanwhile the helper compares what is published."""
        [(self._stale_marts, stale_files)] = self._duck.execute(_STALE).fetchall()
        self._result.unpublished = self._stale_marts + stale_files
        publication = read_publication(self._duck)
        self._is_shown = publication is not None and not self._result.unpublished
        if publication:
            published = helper.start(compare_published, self._pinned, publication)
        self._recount(shares)
        self._progress(_BUILT, 0.5)
        if not self._stale_marts:
            with closing(open_tables(self._pinned, MARTS, CORE)) as con:
                build(con, queries(("marts",)))
        if publication:
            self._findings.merge(published())
        self._progress(_TABLES, 0.0)

    def _recount(self, shares: list[Share]) -> None:
        """Compute raw, core and ops; for one day, those of that day."""
        with closing(open_tables(self._pinned, self._recounted)) as con:
            attach_shares(con, shares)
            columns = {"push_id": "varchar", "file": "varchar"}
            taken = fetch(self._duck, "raw.pushes where push_id is not null", columns)
            store(con, "taken_push", list(columns), taken)
            con.execute("create index taken on taken_push (push_id, file)")
            build_core(con)
            con.execute("create index push_by_id on push (push_id)")
            [counts] = named_rows(con.execute(recount_query("counts")))
            [sends] = named_rows(con.execute(recount_query("send_totals")))
            rows_of_files = con.execute(recount_query("send_files")).fetchall()
        for name, count in counts.items():
            setattr(self._result, name, count)
        totals = [("ops.ledger", f"total_{name}", count) for name, count in counts.items()]
        totals += [("ops.ledger", "pushes", counts["pushes"])]
        totals += [("ops.sends_ledger", f"total_{name}", count) for name, count in sends.items()]
        with closing(open_tables(self._pinned, CORE)) as con:
            self._take_over(con)
            if self._day is None:
                self._compare_counts("send_counts", rows_of_files)
            else:
                [(messages,)] = con.execute("select count(*) from core_sms_status")
                totals = [("ops.ledger", "total_messages", messages)]
            self._result.fingerprint = fingerprint(con)
        totals.append(("ops.ledger", "fingerprint", self._result.fingerprint))
        self._compare_counts("totals", totals)

    def _compare_counts(self, check: str, counts: Iterable[tuple[str, str, object]]) -> None:
        self._findings.add_all(books.compare_counts(self._duck, check, counts))

    def _take_over(self, con: sqlite3.Connection) -> None:
        """Copy the tables that are not recounted as the warehouse has them."""
        for table in read_tables().values():
            schema, _, _ = table.name.partition(".")
            needed = schema != "marts" if self._day else table.exported and schema == "ops"
            if needed and not column_names(con, table.relation):
                columns = [f'"{name}"' for name in table.columns]
                store(con, table.relation, columns, fetch(self._duck, table.name, table.columns))

    def _compare(self, helper: Helper) -> None:
        """Compare what the warehouse holds, and beside it what readers are given."""
        schemas = ["marts"] if self._day else ["raw", "core", "ops", "marts"]
        recounted = queries(schemas[:-1] if self._stale_marts else schemas)
        tables = [table for table in read_tables().values() if table.relation in recounted]
        with closing(open_tables(self._pinned, MARTS, CORE)) as con:
            names = list(self._verified(con))
            if self._is_shown:
                shown = helper.start(compare_shown, self._pinned, names)
            for number, table in enumerate(tables, start=1):
                Comparison(con, self._duck, table, self._findings).run()
                self._progress(_TABLES, number / len(tables))
        if self._day is not None:
            compare_day(self._pinned, self._day, self._duck, self._findings)
        if self._is_shown:
            self._findings.merge(shown())
        self._progress(_PUBLISHED, 1.0)

    def _verified(self, con: sqlite3.Connection) -> Iterator[str]:
        """Yield the published tables that are expected; note what is not."""
        for table in (table for table in read_tables().values() if table.exported):
            expected = column_names(con, table.relation)
            missing = [f"{table.name}.{name}" for name in table.columns if name not in expected]
            self._result.unverified += missing if expected else [table.name]
            if expected:
                yield table.name
