"""Landed files and send files to rows of a scratch database; each process reads its share."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import file_digest
from itertools import count
from pathlib import Path

from contract.settings import Settings
from pipelines.verify.clock import handset_clock
from pipelines.verify.findings import Findings
from pipelines.verify.forms import read_form
from pipelines.verify.landed import KnownFile, LandedPush, read_file, read_moved
from pipelines.verify.numbers import number_reader
from pipelines.verify.reports import Report, take
from pipelines.verify.scratch import Row, insert, open_scratch, store
from pipelines.verify.sendfiles import read_rows
from pipelines.verify.sendlog import Fault, judge, send_clock

_COLUMNS = {
    "line": "line integer primary key, push_id, file, number, received_us, sha256, body_bytes, "
    "decoding, records, rejected, repaired_mobiles",
    "report": "line, position, sid, success, handset_us, handset_raw, code, detail, uid, mobile, "
    "mobile_e164, country_code, range_operator",
    "reject": "line, position, reason, field, value",
    "send": "file, position, sid, uid, sent_us, tag, mobile, country_code, range_operator",
    "rejected_send": "file, position, reason, field, value",
}
COLUMNS = {table: columns.split(", ") for table, columns in _COLUMNS.items()}
"""What a share holds. ``line`` counts the lines of all files in their order, with gaps between
files; ``report`` has a row for every sound record, whichever line its push counts in."""

_LINES_A_FILE = 1 << 32


@dataclass
class Share:
    """Files for one process."""

    path: Path
    """Database to make."""
    settings: Settings
    landed: list[tuple[int, KnownFile]] = field(default_factory=list)
    """With their places among all files."""
    sends: list[KnownFile] = field(default_factory=list)
    size: int = 0
    """Bytes of all of them."""


def divide(
    folder: Path,
    settings: Settings,
    landed: Iterable[KnownFile],
    sends: Iterable[KnownFile],
    number: int,
) -> list[Share]:
    """Deal the files out, the largest first, so that all shares are about as large."""
    shares = [Share(folder / f"share{n}.db", settings) for n in range(number)]
    files = [*enumerate(landed), *((None, file) for file in sends)]
    for place, file in sorted(files, key=lambda placed: -placed[1].size):
        share = min(shares, key=lambda share: share.size)
        share.size += file.size
        if place is None:
            share.sends.append(file)
        else:
            share.landed.append((place, file))
    for share in shares:
        share.landed.sort()
    return shares


def read_share(share: Share, on_bytes: Callable[[int], None] = lambda _: None) -> Findings:
    """Read every file; ``on_bytes`` is called with the bytes of each body and send file."""
    findings = Findings()
    with closing(open_scratch(share.path)) as con:
        for table, columns in COLUMNS.items():
            store(con, table, columns, ())
        con.execute("begin")
        _Reader(share, con, findings, on_bytes).read()
        con.execute("commit")
    return findings


class _Reader:
    def __init__(
        self,
        share: Share,
        con: sqlite3.Connection,
        findings: Findings,
        on_bytes: Callable[[int], None],
    ) -> None:
        settings = share.settings
        self._share, self._con, self._findings = share, con, findings
        self._on_bytes = on_bytes
        self._handset_us = handset_clock(settings.provider_timezone)
        self._send_us = send_clock(settings.sends_timezone)
        self._number = number_reader(settings.default_region)

    def read(self) -> None:
        landing = self._share.settings.landing
        missing: list[KnownFile] = []
        for place, known in self._share.landed:
            pushes = read_file(landing, known, self._findings, missing)
            for line, push in enumerate(pushes, start=place * _LINES_A_FILE + 1):
                self._read_push(line, push)
        places = {known.name: place for place, known in self._share.landed}
        lines: dict[str, Iterator[int]] = {}
        for known in missing:
            own_lines = count(places[known.name] * _LINES_A_FILE + 1)
            names = (known.name, *(original.name for original in known.originals))
            lines |= dict.fromkeys(names, own_lines)
        for push in read_moved(landing, missing, self._findings):
            self._read_push(next(lines[push.file]), push)
        for known_sends in self._share.sends:
            self._read_sends(known_sends)

    def _insert(self, table: str, rows: Iterable[Row]) -> None:
        insert(self._con, table, COLUMNS[table], rows)

    def _read_push(self, line: int, push: LandedPush) -> None:
        form = read_form(push.body)
        reports, rejects, restored = take(form)
        self._insert("report", (self._report(line, report) for report in reports))
        self._insert("reject", ((line, *reject) for reject in rejects))
        records = len(reports) + len(rejects)
        counts = (len(push.body), form.decoding, records, len(rejects), restored)
        row = (line, push.push_id, push.file, push.number, push.received_us, push.digest, *counts)
        self._insert("line", [row])
        self._on_bytes(len(push.body))

    def _report(self, line: int, report: Report) -> Row:
        position, sid, success, handset_raw, *texts = report
        handset_us, number = self._handset_us(handset_raw), self._number(texts[-1])
        return (line, position, sid, success, handset_us, handset_raw, *texts, *number)

    def _read_sends(self, known: KnownFile) -> None:
        path = self._share.settings.sends / known.name
        try:
            with path.open("rb") as file:
                digest, size = file_digest(file, "sha256").hexdigest(), file.tell()
            if (size, digest) != (known.size, known.digest):
                self._add(known, "was altered since it was read; `dlr run` reads it again")
                return
            for position, row in enumerate(read_rows(path), start=1):
                send = judge(row, self._send_us)
                if isinstance(send, Fault):
                    self._insert("rejected_send", [(known.name, position, *send)])
                else:
                    number = self._number(send.mobile)[1:]
                    self._insert("send", [(known.name, position, *send, *number)])
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            self._add(known, f"cannot be read ({reason}); restore it from a backup")
        self._on_bytes(known.size)

    def _add(self, known: KnownFile, text: str) -> None:
        self._findings.add("ops.send_files", f"the send file {known.name} {text}.", "file")


def attach_shares(con: sqlite3.Connection, shares: Iterable[Share]) -> None:
    """Make a view of each table over all shares."""
    for share in shares:
        con.execute(f"attach '{share.path}' as {share.path.stem}")
    for table in COLUMNS:
        parts = (f"select * from {share.path.stem}.{table}" for share in shares)
        con.execute(f"create temp view {table} as {' union all '.join(parts)}")
