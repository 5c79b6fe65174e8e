"""Rows of the send log to sends, or to the reason why they are none."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pipelines.verify.clock import EPOCH, MICROSECOND, SECOND_US
from pipelines.verify.sendfiles import Texts

_SID = re.compile(r"(-?)0*([0-9]{1,19})")
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?"
    r"(?: ?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?))?",
    re.ASCII,
)
_SECONDS = re.compile(r"(\d{10})(?:\.(\d+))?", re.ASCII)
_LEAST_US = (datetime(2010, 1, 1) - EPOCH) // MICROSECOND  # noqa: DTZ001
_END_US = (datetime(2100, 1, 1) - EPOCH) // MICROSECOND  # noqa: DTZ001
_LARGEST_OFFSET_H = 19


class Line(NamedTuple):
    """What one row says; equal lines are one send."""

    sid: int | None
    uid: str | None
    sent_us: int
    tag: str | None
    mobile: str | None


class Fault(NamedTuple):
    """Why a row is no send, and which field is to blame."""

    reason: str
    field: str | None


class Attributed(NamedTuple):
    """What a message gets from its send."""

    sent_us: int
    tag: str | None


class Sent(NamedTuple):
    """A line, how often it came, and what became of it."""

    copies: int
    match: str
    reported_sid: int | None


SendClock = Callable[[str], int | None]


def judge(row: Texts | None, clock: SendClock) -> Line | Fault:
    """Sort one row."""
    if row is None:
        return Fault("not_a_row", None)
    sid_text, uid, sent_at, tag, mobile = row
    if not sid_text and not uid:
        return Fault("no_key", None)
    sid = _sid(sid_text) if sid_text else None
    if sid_text and sid is None:
        return Fault("bad_sid", "sid")
    sent_us = clock(sent_at.strip(" "))
    if sent_us is None or not _LEAST_US <= sent_us < _END_US:
        return Fault("bad_sent_at", "sent_at")
    return Line(sid, uid or None, sent_us, tag or None, mobile or None)


def _sid(text: str) -> int | None:
    found = _SID.fullmatch(text)
    sid = int(found[1] + found[2]) if found and text.isascii() else None
    return sid if sid is not None and -(2**63) <= sid < 2**63 else None


def send_clock(zone_name: str) -> SendClock:
    """Return what reads a send log's times; those without a zone are of the one named."""
    zone = ZoneInfo(zone_name)

    @lru_cache(maxsize=1 << 14)
    def send_us(text: str) -> int | None:
        """Return a time of a send log in microseconds since 1970, UTC; None where it is none."""
        seconds = _SECONDS.fullmatch(text)
        if seconds:
            return int(seconds[1]) * SECOND_US + _micros(seconds[2])
        if text.isdecimal() and text.isascii():
            return {13: int(text) * 1000, 16: int(text)}.get(len(text))
        found = _TIME.fullmatch(text)
        return _of_parts(found, zone) if found else None

    return send_us


def _of_parts(found: re.Match[str], zone: ZoneInfo) -> int | None:
    day, minute, second, fraction, utc, sign, hours, minutes = found.groups()
    try:
        local = datetime.fromisoformat(f"{day}T{minute}:{second or '00'}")
    except ValueError:
        return None
    if sign:
        if int(hours) > _LARGEST_OFFSET_H or int(minutes or 0) > 59:
            return None
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0)) * (1 if sign == "+" else -1)
    elif utc:
        offset = timedelta()
    else:
        offset = local.replace(tzinfo=zone).utcoffset() or timedelta()
    return (local - EPOCH - offset) // MICROSECOND + _micros(fraction)


def _micros(fraction: str | None) -> int:
    return int((fraction or "")[:6].ljust(6, "0"))


def rank(line: Line) -> tuple[object, ...]:
    """Sort the lines of a sid, the one that counts first; what is absent comes last."""
    texts = (line.tag, line.uid, line.mobile)
    return (line.sent_us, *((text is None, text or "") for text in texts))


def first_of_each_sid(lines: Counter[Line]) -> dict[int, Line]:
    """Return the line that counts for each sid."""
    groups: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        if line.sid is not None:
            groups[line.sid].append(line)
    return {sid: min(group, key=rank) for sid, group in groups.items()}


class LoneSends:
    """Sends without a sid, and what else carries their uids. All of them are in memory."""

    def __init__(self) -> None:
        self.lines: Counter[Line] = Counter()
        self._by_uid: Counter[str | None] = Counter()
        self._named: set[str | None] = set()
        self._messages: dict[str | None, list[int]] = defaultdict(list)
        self._barred: set[int] = set()

    def add(self, line: Line) -> None:
        """Take one row in."""
        self._by_uid[line.uid] += not self.lines[line]
        self.lines[line] += 1

    def saw_send(self, line: Line) -> None:
        """Hear of a line with a sid."""
        if line.uid in self._by_uid:
            self._named.add(line.uid)

    def saw_message(self, sid: int, uid: str | None, *, has_send: bool) -> None:
        """Hear of a reported message."""
        if uid is not None and uid in self._by_uid:
            self._messages[uid].append(sid)
            if has_send:
                self._barred.add(sid)

    def matched(self) -> Iterator[tuple[Line, Sent]]:
        """Yield every line with what became of it."""
        for line, copies in self.lines.items():
            yield line, Sent(copies, *self._match(line))

    def _match(self, line: Line) -> tuple[str, int | None]:
        sids = self._messages.get(line.uid, [])
        if self._by_uid[line.uid] > 1 or line.uid in self._named or len(sids) > 1:
            return "ambiguous", None
        if not sids:
            return "none", None
        return ("ambiguous", None) if sids[0] in self._barred else ("uid", sids[0])
