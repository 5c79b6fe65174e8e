"""The steps of a verification, in order, and what one hands to the next."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from ingest.settings import Settings
from pipelines.verify import messages, pushes
from pipelines.verify.books import (
    Books,
    compare_content,
    compare_recount,
    compare_rules,
    read_books,
)
from pipelines.verify.clock import handset_clock
from pipelines.verify.codes import carrier_codes, reference_version
from pipelines.verify.compacted import Original
from pipelines.verify.content import Content
from pipelines.verify.files import compare_files
from pipelines.verify.findings import Findings, Verification
from pipelines.verify.forms import read_form
from pipelines.verify.landed import KnownFile, LandedPush, count_landed, lies_in, read_file
from pipelines.verify.latency import latencies
from pipelines.verify.marts import compare_marts
from pipelines.verify.marttables import AS_OF, SENDS_LEDGER
from pipelines.verify.published import Behind, check_published
from pipelines.verify.rates import Moment
from pipelines.verify.reports import take
from pipelines.verify.rules import Versions, read_versions
from pipelines.verify.sendrecount import SendRecount
from pipelines.verify.spill import Row, Spill, buckets_for
from pipelines.verify.tables import (
    EVERY,
    FILES,
    copy_tables,
    one_row,
    open_tables,
    stream,
    text_key,
)
from pipelines.verify.winners import Rules

_OURS = ("files", "reports", "lines", "outcomes", "tallies", "sends", "latencies")
"""Spills of what is recounted, beside those of the tables."""
_PUBLISHED, _TABLES, _LANDED, _MESSAGES, _PUSHES, _FILES, _STEPS = range(7)
"""What takes time, in order, and how many of it there are."""


def _known(columns: Sequence[Any]) -> KnownFile:
    name, size, digest, state, *originals = columns
    found = [Original(*one) for one in zip(*originals, strict=True)]
    return KnownFile(name, size, digest, state, found)


class Recount:
    """One verification. Memory holds a bucket, the marts, and the exceptions."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        day: date | None,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._day = day
        self._tell = on_progress
        self._findings = Findings()
        self._found = Verification()
        self._books = Books()
        self._behind = Behind(0, 0)
        self._content = Content()
        self._bytes = 0
        self._buckets = 1
        self._spills: dict[str, Spill] = {}
        self._lines = 0
        self._ignored: set[tuple[str, int]] = set()
        self._versions = Versions({}, set())
        self._made_by: defaultdict[str, Counter[str | None]] = defaultdict(Counter)
        self._as_of_us: int | None = None
        self._sends_ledger: list[Row] = []

    def copy_tables(self) -> None:
        """Copy what the warehouse says; whoever calls holds the pipeline's lock."""
        path = self._settings.data.absolute() / "warehouse.duckdb"
        with open_tables(path, self._folder / "duckdb", self._settings) as con:
            landed = one_row(con, "select coalesce(sum(bytes), 0)::bigint from ops.files")[0]
            self._buckets = buckets_for(landed)
            self._spills = {
                name: Spill(self._folder, name, self._buckets) for name in (*EVERY, *_OURS)
            }
            self._sends = SendRecount(self._settings, self._spills, self._buckets, self._findings)
            known = (
                row for rows in stream(con, FILES) for row in rows if lies_in(row[0], self._day)
            )
            for row in known:
                self._bytes += row[1]
                self._spills["files"].extend([(0, *row)])
            self._versions = read_versions(con, self._settings, self._findings)
            self._books = read_books(con, self._findings)
            tell = partial(self._progress, _PUBLISHED)
            self._behind = check_published(con, self._settings, self._books, self._findings, tell)
            self._as_of_us = one_row(con, AS_OF)[0]
            self._sends_ledger = con.execute(SENDS_LEDGER).fetchall()
            copy_tables(con, self._spills, partial(self._progress, _TABLES))

    def _progress(self, step: int, share: float) -> None:
        """Every step counts as the landed bytes once."""
        if self._tell is not None:
            self._tell(int(self._bytes * (step + share)), _STEPS * self._bytes)

    def read_landed(self) -> None:
        """Read every line of every known file; reports and lines go to their buckets."""
        done, there = 0, 0
        for _, *columns in self._spills["files"].rows(0):
            known = _known(columns)
            there += (self._settings.landing / known.name).exists()
            if known.digest:
                self._found.files += 1
                self._read_file(known, done)
            done += known.size
        landed = count_landed(self._settings.landing, self._day)
        self._found.pending = max(0, landed - there)
        for name in _OURS:
            self._spills[name].flush()

    def _read_file(self, known: KnownFile, done: int) -> None:
        total = max(1, self._bytes)
        for push in read_file(self._settings.landing / known.name, known, self._findings):
            self._take_apart(push)
            done += len(push.body)
            self._progress(_LANDED, min(1.0, done / total))

    def _take_apart(self, push: LandedPush) -> None:
        self._lines += 1
        form = read_form(push.body)
        taken = take(form.elements, push.received_us, push.push_id, self._lines)
        rejects: list[Row] = [(None, reason, None) for reason in form.faults]
        rejects += [tuple(reject) for reject in taken.rejects]
        self._spills["reports"].extend(taken.reports)
        line = pushes.Line(
            key=text_key(push.push_id),
            push_id=push.push_id,
            number=self._lines,
            file=push.file,
            received_us=push.received_us,
            digest=push.digest,
            body_bytes=len(push.body),
            decoding=form.decoding,
            reports=len(taken.reports),
            repaired_mobiles=taken.repaired_mobiles,
            rejects=rejects,
            file_line=push.number,
        )
        self._spills["lines"].extend([tuple(line)])

    def read_sends(self) -> None:
        """Read every row of every known file of the send log."""
        self._sends.read()

    def compare_messages(self) -> None:
        """Let the reports of every message contend; compare with its rows."""
        for number in range(self._buckets):
            self._ignored.update(self._pushes(number).ignored())
        settings, spills, findings = self._settings, self._spills, self._findings
        codes = carrier_codes(reference_version())
        current = self._versions.current
        rules = Rules(handset_clock(settings.provider_timezone), codes, current)
        whole = self._day is None
        if whole:
            self._sends.match_lone(lambda number: self._messages(number, rules).winners())
        for number in range(self._buckets):
            bucket = self._messages(number, rules)
            sends = self._sends.bucket(number)
            rows = spills["core.sms_status"].rows(number)
            for message in bucket.compare(rows, sends.attributed, findings, whole=whole):
                self._content.add(message)
                self._made_by["core.sms_status"][message.rules_version] += 1
                spills["latencies"].extend(latencies(message))
            if whole:
                bucket.compare_versions(spills["core.conflicting_reports"].rows(number), findings)
                bucket.compare_repeated(spills["core.repeated_reports"].rows(number), findings)
            unknown_until_us = Moment(self._as_of_us, 0.0).unknown_until_us
            for row in self._sends.compare(number, sends, bucket.is_reported, whole=whole):
                self._content.add_waiting(row, unknown_until_us)
            self._count(bucket)
            self._progress(_MESSAGES, (number + 1) / self._buckets)

    def _messages(self, number: int, rules: Rules) -> messages.Bucket:
        return messages.Bucket(self._spills["reports"].rows(number), self._ignored, rules)

    def _count(self, bucket: messages.Bucket) -> None:
        self._found.messages += bucket.sids
        for row in bucket.outcomes():
            self._spills["outcomes"].extend([row])
            self._found.duplicates += row[2] == "duplicate"
            self._found.conflicts += row[2] == "conflict"

    def compare_pushes(self) -> None:
        """Compare every push, its rejects and what became of its records."""
        spills, findings, found = self._spills, self._findings, self._found
        covered = partial(lies_in, day=self._day)
        for number in range(self._buckets):
            outcomes = Counter(row[1:] for row in spills["outcomes"].rows(number))
            bucket = self._pushes(number)
            bucket.compare(outcomes, findings, covered, whole=self._day is None)
            bucket.compare_rejected(spills["raw.rejected_records"].rows(number), findings)
            spills["tallies"].extend(map(tuple, bucket.tallies(outcomes)))
            self._made_by["raw.pushes"].update(row[-1] for row in spills["raw.pushes"].rows(number))
            self._progress(_PUSHES, (number + 1) / self._buckets)
            for line in bucket.counted():
                found.pushes += 1
                found.records += line.records
                found.rejected += len(line.rejects)

    def _pushes(self, number: int) -> pushes.Bucket:
        spills = self._spills
        return pushes.Bucket(spills["lines"].rows(number), spills["raw.pushes"].rows(number))

    def compare_files(self) -> None:
        """Compare what the pushes of every file come to."""
        for number in range(self._buckets):
            compare_files(
                self._spills["tallies"].rows(number),
                self._spills["ops.ledger_by_file"].rows(number),
                self._findings,
                partial(lies_in, day=self._day),
                whole=self._day is None,
            )
            self._progress(_FILES, (number + 1) / self._buckets)

    def compare_totals(self) -> None:
        """Compare what is only known when all is counted."""
        compare_rules(self._books, self._settings, self._findings)
        for table, rows in self._made_by.items():
            self._versions.compare(table, rows, self._findings)
        compare_content(self._books, self._content, self._findings)
        if self._day is None:
            compare_recount(self._books, self._found, self._findings)
            self._sends.compare_ledger(self._sends_ledger)
        if not self._behind.hours:
            compare_marts(
                self._spills, self._buckets, self._content, self._as_of_us, self._findings
            )

    def result(self) -> Verification:
        """Return everything found."""
        self._found.sends = self._sends.accepted
        self._found.findings = self._findings.all(self._located())
        self._found.fingerprint = self._content.fingerprint
        self._found.unpublished = self._behind.hours + self._behind.parts
        return self._found

    def _located(self) -> dict[int, str]:
        """Say in words where the lines lie that findings name."""
        wanted = self._findings.places()
        if not wanted:
            return {}
        lines = (
            pushes.Line._make(row)
            for number in range(self._buckets)
            for row in self._spills["lines"].rows(number)
        )
        return {line.number: line.at for line in lines if line.number in wanted}
