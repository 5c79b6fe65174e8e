"""Rows of the send log to sends, or to the reason why they are none."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pipelines.verify.clock import micros
from pipelines.verify.reports import sid_of_text
from pipelines.verify.sendfiles import Texts

# newer versions of Python read the hour 24, too
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ](?!24)\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|[+-][01]\d(?::?[0-5]\d)?))?",
    re.ASCII,
)
_SINCE_1970 = re.compile(r"\d{10}(?:\.\d+)?|\d{13}|\d{16}", re.ASCII)
"""Seconds, milliseconds or microseconds."""
_FIRST_US, _END_US = (micros(datetime(year, 1, 1, tzinfo=UTC)) for year in (2010, 2100))
_MOST_VALUE = 1_000


class Send(NamedTuple):
    """What one row says; equal ones are one send."""

    sid: int | None
    uid: str | None
    sent_us: int
    tag: str | None
    mobile: str | None


class Fault(NamedTuple):
    """Why a row is no send, which field is to blame, and what stands there."""

    reason: str
    field: str | None = None
    value: str | None = None


def judge(row: Texts | str, clock: Callable[[str], int | None]) -> Send | Fault:
    """Sort one row."""
    if isinstance(row, str):
        return Fault("not_a_row", None, row[:_MOST_VALUE])
    sid_text, uid, sent_at, tag, mobile = row
    if not sid_text and not uid:
        return Fault("no_key")
    sid = sid_of_text(sid_text)
    if sid_text and sid is None:
        return Fault("bad_sid", "sid", sid_text[:_MOST_VALUE])
    sent_us = clock(sent_at.strip(" "))
    if sent_us is None or not _FIRST_US <= sent_us < _END_US:
        return Fault("bad_sent_at", "sent_at", sent_at[:_MOST_VALUE] or None)
    return Send(sid, uid or None, sent_us, tag or None, mobile or None)


def send_clock(zone_name: str) -> Callable[[str], int | None]:
    """Return what reads a send log's times; those without a zone are of the one named."""
    zone = ZoneInfo(zone_name)

    @lru_cache(maxsize=1 << 14)
    def send_us(text: str) -> int | None:
        """Return a time of a send log in microseconds since 1970, UTC; None where it is not one."""
        if _SINCE_1970.fullmatch(text):
            return int(text.replace(".", "")[:16].ljust(16, "0"))
        if not _TIME.fullmatch(text):
            return None
        try:
            time = datetime.fromisoformat(text[:11] + text[11:].replace(" ", ""))
        except ValueError:
            return None
        return micros(time if time.tzinfo else time.replace(tzinfo=zone))

    return send_us
