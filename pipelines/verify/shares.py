"""Landed files and send files to rows of a scratch database, each process its share of them."""

import sqlite3
from collections.abc import Callable, Iterable
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

from contract.settings import Settings
from pipelines.verify.clock import handset_clock
from pipelines.verify.findings import Findings
from pipelines.verify.forms import read_form
from pipelines.verify.landed import KnownFile, LandedPush, read_file, read_moved
from pipelines.verify.numbers import number_reader
from pipelines.verify.reports import Report, take
from pipelines.verify.scratch import Inserter, Row, open_scratch
from pipelines.verify.sendfiles import read_rows
from pipelines.verify.sendlog import Fault, judge, send_clock

COLUMNS = {
    "line": "line integer primary key, push_id, file, number, received_us, sha256, body_bytes, "
    "decoding, records, rejected, repaired_mobiles",
    "report": "line, position, sid, success, handset_us, handset_raw, code, detail, uid, mobile, "
    "mobile_e164, country_code, range_operator",
    "reject": "line, position, reason, field, value",
    "send": "file, position, sid, uid, sent_us, tag, mobile, country_code, range_operator",
    "rejected_send": "file, position, reason, field, value",
}
"""What a share holds. ``line`` counts the lines of all files in their order, with gaps between
files; ``report`` has a row for every sound record, whichever line its push counts in."""

_LINES_A_FILE = 1 << 32


class Share(NamedTuple):
    """Files for one process."""

    path: Path
    """Database to make."""
    settings: Settings
    landed: list[tuple[int, KnownFile]]
    """With their places among all files."""
    sends: list[KnownFile]


def divide(
    folder: Path,
    settings: Settings,
    landed: Iterable[KnownFile],
    sends: Iterable[KnownFile],
    number: int,
) -> list[Share]:
    """Deal the files out, the largest first, so that all shares are about as large."""
    shares = [Share(folder / f"share{n}.db", settings, [], []) for n in range(number)]
    loads = [0] * number
    files = [*enumerate(landed), *((None, file) for file in sends)]
    for place, file in sorted(files, key=lambda placed: -placed[1].size):
        lightest = loads.index(min(loads))
        loads[lightest] += file.size
        if place is None:
            shares[lightest].sends.append(file)
        else:
            shares[lightest].landed.append((place, file))
    for share in shares:
        share.landed.sort()
    return shares


def read_share(share: Share, on_bytes: Callable[[int], None]) -> Findings:
    """Read every file; ``on_bytes`` hears how many bytes of bodies were read each time."""
    findings = Findings()
    con = open_scratch(share.path)
    rows = Inserter(con)
    for table, columns in COLUMNS.items():
        rows.make(table, columns.split(", "))
    _Reader(share, rows, findings, on_bytes).read()
    rows.finish()
    con.close()
    return findings


class _Reader:
    def __init__(
        self, share: Share, rows: Inserter, findings: Findings, on_bytes: Callable[[int], None]
    ) -> None:
        settings = share.settings
        self._share, self._rows, self._findings = share, rows, findings
        self._on_bytes = on_bytes
        self._handset_us = handset_clock(settings.provider_timezone)
        self._number = number_reader(settings.default_region)

    def read(self) -> None:
        landing = self._share.settings.landing
        missing: list[KnownFile] = []
        for place, known in self._share.landed:
            pushes = read_file(landing, known, self._findings, missing)
            for line, push in enumerate(pushes, start=place * _LINES_A_FILE + 1):
                self._take(line, push)
        places = {known.name: place for place, known in self._share.landed}
        for push in read_moved(landing, missing, self._findings):
            self._take(places[push.file] * _LINES_A_FILE + push.number, push)
        for known_sends in self._share.sends:
            self._read_sends(known_sends)

    def _take(self, line: int, push: LandedPush) -> None:
        form = read_form(push.body)
        reports, rejects, restored = take(form)
        self._rows.add("report", [self._report(line, report) for report in reports])
        self._rows.add("reject", [(line, *reject) for reject in rejects])
        records = len(reports) + len(rejects)
        counts = (len(push.body), form.decoding, records, len(rejects), restored)
        row = (line, push.push_id, push.file, push.number, push.received_us, push.digest, *counts)
        self._rows.add("line", [row])
        self._on_bytes(len(push.body))

    def _report(self, line: int, report: Report) -> Row:
        position, sid, success, handset_raw, *texts = report
        handset_us, number = self._handset_us(handset_raw), self._number(texts[-1])
        return (line, position, sid, success, handset_us, handset_raw, *texts, *number)

    def _read_sends(self, known: KnownFile) -> None:
        path = self._share.settings.sends / known.name
        clock = send_clock(self._share.settings.sends_timezone)
        try:
            with path.open("rb") as file:
                digest, size = file_digest(file, "sha256").hexdigest(), file.tell()
            if (size, digest) != (known.size, known.digest):
                self._add(known, "was altered since it was read; `dlr run` reads it again")
                return
            for position, row in enumerate(read_rows(path), start=1):
                send = judge(row, clock)
                if isinstance(send, Fault):
                    self._rows.add("rejected_send", [(known.name, position, *send)])
                else:
                    number = self._number(send.mobile)[1:]
                    self._rows.add("send", [(known.name, position, *send, *number)])
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            self._add(known, f"cannot be read ({reason}); restore it from a backup")
        self._on_bytes(known.size)

    def _add(self, known: KnownFile, text: str) -> None:
        self._findings.add("ops.send_files", f"the send file {known.name} {text}.", "file")


def attach_shares(con: sqlite3.Connection, shares: Iterable[Share]) -> None:
    """Let each table of the shares be seen as one."""
    stems = []
    for share in shares:
        con.execute(f"attach '{share.path}' as {share.path.stem}")
        stems.append(share.path.stem)
    for table in COLUMNS:
        parts = " union all ".join(f"select * from {stem}.{table}" for stem in stems)
        con.execute(f"create temp view {table} as {parts}")
