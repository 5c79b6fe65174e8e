"""Rows of the send log to sends, or to the reason why they are none."""

import re
from collections.abc import Callable
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
    field: str | None
    value: str | None


SendClock = Callable[[str], int | None]


def judge(row: Texts | str, clock: SendClock) -> Send | Fault:
    """Sort one row."""
    if isinstance(row, str):
        return Fault("not_a_row", None, row[:_MOST_VALUE])
    sid_text, uid, sent_at, tag, mobile = row
    if not sid_text and not uid:
        return Fault("no_key", None, None)
    sid = _sid(sid_text) if sid_text else None
    if sid_text and sid is None:
        return Fault("bad_sid", "sid", sid_text[:_MOST_VALUE])
    sent_us = clock(sent_at.strip(" "))
    if sent_us is None or not _LEAST_US <= sent_us < _END_US:
        return Fault("bad_sent_at", "sent_at", sent_at[:_MOST_VALUE] or None)
    return Send(sid, uid or None, sent_us, tag or None, mobile or None)


def _sid(text: str) -> int | None:
    found = _SID.fullmatch(text)
    sid = int(found[1] + found[2]) if found and text.isascii() else None
    return sid if sid is not None and -(2**63) <= sid < 2**63 else None


def send_clock(zone_name: str) -> SendClock:
    """Return what reads a send log's times; those without a zone are of the one named."""
    zone = ZoneInfo(zone_name)

    @lru_cache(maxsize=1 << 14)
    def send_us(text: str) -> int | None:
        """Return a time of a send log in microseconds since 1970, UTC; None where it is not one."""
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
