"""Whether the tables of the send log say what its files say."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.verify.clock import HOUR_US, shown
from pipelines.verify.findings import Findings
from pipelines.verify.sendfiles import read_rows
from pipelines.verify.sendlog import (
    Attributed,
    Fault,
    Line,
    SendClock,
    Sent,
    first_of_each_sid,
    judge,
)
from pipelines.verify.spill import Row

_SENDS, _REJECTED = "core.sends", "raw.rejected_sends"
_FILES, _LEDGER = "ops.send_files", "ops.sends_ledger"


class SendFile(NamedTuple):
    """A row of ``ops.send_files``."""

    name: str
    size: int
    digest: str | None
    received: int
    rejected: int
    state: str


class SendRow(NamedTuple):
    """A row of ``core.sends``."""

    sid: int | None
    uid: str | None
    sent_us: int
    tag: str | None
    mobile: str | None
    copies: int
    match: str
    reported_sid: int | None
    waiting_hour_us: int | None
    country_code: str | None
    range_operator: str | None

    @property
    def line(self) -> Line:
        """What the log says in it."""
        return Line(*self[:5])


def read_send_file(
    folder: Path, known: SendFile, clock: SendClock, findings: Findings
) -> Iterator[tuple[int, Line | Fault]]:
    """Yield position and judgement of every row of a file; what is not as it was read is found."""
    if known.state != "taken":
        return
    path = folder / known.name
    try:
        data = path.read_bytes()
        if (len(data), sha256(data).hexdigest()) != (known.size, known.digest):
            _say_file(known, "was altered since it was read; `dlr run` reads it again", findings)
            return
        del data
        for position, row in enumerate(read_rows(path), start=1):
            yield position, judge(row, clock)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        _say_file(known, f"cannot be read ({reason}); restore it from a backup", findings)


def _say_file(known: SendFile, text: str, findings: Findings) -> None:
    findings.add(_FILES, f"the send file {known.name} {text}.", "file")


def compare_counts(known: SendFile, received: int, rejected: int, findings: Findings) -> None:
    """Compare what a file holds with what was noted of it."""
    for name, said, found in (
        ("received", known.received, received),
        ("rejected", known.rejected, rejected),
    ):
        if said != found:
            sentence = f"{known.name}: {name} is {said}, but its rows give {found}."
            findings.add(_FILES, sentence, name)


def compare_rejected(expected: Counter[Row], rows: Iterable[Row], findings: Findings) -> None:
    """Compare file, position, reason and field of every rejected row."""
    stands = Counter(tuple(row[1:]) for row in rows)
    for word, some in (("is missing", expected - stands), ("is wrong", stands - expected)):
        for file, position, reason, field in sorted(some, key=repr):
            sentence = f"{file}, row {position}: the reject {reason} (field {field}) {word}."
            findings.add(_REJECTED, sentence, word)


def compare_ledger(
    figures: tuple[int, ...], zone: str, rows: list[Row], findings: Findings
) -> None:
    """Compare the newest row of the ledger with the recount, and its zone with today's."""
    names = ("received", "sends", "repeated", "duplicates", "rejected")
    if not rows and not any(figures):
        return
    *totals, said_zone = rows[0] if rows else (*(None for _ in names), zone)
    for name, said, found in zip(names, totals, figures, strict=True):
        if said != found:
            sentence = f"total_{name} is {said}, but the send files give {found}."
            findings.add(_LEDGER, sentence, name)
    if said_zone != zone:
        findings.add(
            _LEDGER,
            f"sends_timezone is {said_zone}, but now it is {zone}; if that was meant, "
            "`dlr rebuild` brings all rows to it.",
        )


class SendsBucket:
    """Lines with a sid, of one bucket of messages."""

    def __init__(self, rows: Iterable[Row], lone: Mapping[int, Attributed]) -> None:
        self._lone = lone
        self.lines = Counter(Line._make(row) for row in rows)
        self._first = first_of_each_sid(self.lines)

    def attributed(self, sid: int) -> Attributed | None:
        """Return what a message gets from the line that counts for it, by its sid or its uid."""
        line = self._first.get(sid)
        return Attributed(line.sent_us, line.tag) if line else self._lone.get(sid)

    def sent(self, is_reported: Callable[[int], bool]) -> Iterator[tuple[Line, Sent]]:
        """Yield every line with what became of it."""
        for line, copies in self.lines.items():
            sid = line.sid or 0
            if line != self._first[sid]:
                yield line, Sent(copies, "repeated", None)
            elif is_reported(sid):
                yield line, Sent(copies, "sid", sid)
            else:
                yield line, Sent(copies, "none", None)


def compare_sends(expected: dict[Line, Sent], rows: Iterable[SendRow], findings: Findings) -> None:
    """Compare with rows of ``core.sends``."""
    found: dict[Line, list[SendRow]] = defaultdict(list)
    for row in rows:
        found[row.line].append(row)
    for line in sorted(found.keys() | expected.keys(), key=repr):
        sent, stand = expected.get(line), found.get(line, [])
        if sent is None:
            findings.add(_SENDS, f"{named(line)} is in no send file.", "extra")
        elif len(stand) != 1:
            said = "has no row" if not stand else f"has {len(stand)} rows"
            findings.add(_SENDS, f"{named(line)} {said}.", "missing")
        elif said := _differences(stand[0], sent):
            findings.add(_SENDS, f"{named(line)}: {said}.", "differs")


def _differences(row: SendRow, sent: Sent) -> str:
    hour = row.sent_us - row.sent_us % HOUR_US if sent.match == "none" else None
    figures: dict[str, tuple[Any, Any]] = {
        "copies": (row.copies, sent.copies),
        "match": (row.match, sent.match),
        "reported_sid": (row.reported_sid, sent.reported_sid),
        "waiting_hour_utc": (row.waiting_hour_us, hour),
    }
    return "; ".join(
        f"{name} is {stands}, expected {right}"
        for name, (stands, right) in figures.items()
        if stands != right
    )


def named(line: Line) -> str:
    """Name a send by its sid, or else its time: a uid may hold anything."""
    which = f"sid {line.sid}" if line.sid is not None else "without sid"
    return f"the send {which} at {shown(line.sent_us)}"
