"""What ``core.sms_status`` holds as a whole: its fingerprint, and its counts by hour and day."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import md5
from typing import Any

from pipelines.verify.clock import DAY_US
from pipelines.verify.sends import SendRow
from pipelines.verify.tables import Message

_WRAP = 2**64


_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_ESCAPES = {chr(code): f"\\u{code:04X}" for code in range(0x20)} | {
    '"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"
}  # fmt: skip
"""How a character that cannot stand in a JSON text is written there."""


def as_json(value: Any) -> str:  # noqa: ANN401  any column
    """Return a column's value as JSON."""
    if value is None:
        return "null"
    if value.__class__ is str:
        return f'"{_ESCAPED.sub(lambda found: _ESCAPES[found[0]], value)}"'
    return str(value).lower()


@lru_cache(maxsize=1 << 14)
def _all_as_json(*values: Any) -> str:  # noqa: ANN401  any columns
    """Several columns that repeat from row to row."""
    return ",".join(map(as_json, values))


@dataclass(slots=True)
class Content:
    """Adds rows up, in any order."""

    rows: int = 0
    low: int = 0
    high: int = 0
    hours: defaultdict[tuple[Any, ...], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0] * 9)
    )
    """Of each hour, country, operator and tag: reports, delivered, failed, failed at the recipient
    or handset; the same but failed, where the send is known; pending and unknown sends."""
    delivered: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    """Delivered messages of each hour, country and operator."""
    failures: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    """Failures of each day, country, operator and cause."""

    def add(self, message: Message) -> None:
        """Add one row."""
        digest = md5(
            _text(message).encode("utf-8", "surrogatepass"), usedforsecurity=False
        ).digest()
        self.rows += 1
        self.low += int.from_bytes(digest[8:], "little")
        self.high += int.from_bytes(digest[:8], "little")
        self._tally(message)

    @property
    def sums(self) -> tuple[int, int]:
        """Both sums, wrapped."""
        return self.low % _WRAP, self.high % _WRAP

    @property
    def fingerprint(self) -> str:
        """The sums as they are printed."""
        return fingerprint(*self.sums)

    def _tally(self, message: Message) -> None:
        place = (message.country_code, message.range_operator)
        counts = self.hours[message.event_hour_utc, *place, message.tag]
        sent = message.sent_at_utc is not None
        counts[0] += 1
        counts[4] += sent
        if message.delivered:
            counts[1] += 1
            counts[5] += sent
            self.delivered[message.event_hour_utc, *place] += 1
        else:
            at_recipient = message.error_party in ("recipient", "handset")
            counts[2] += 1
            counts[3] += at_recipient
            counts[6] += at_recipient and sent
            self.failures[
                (message.event_hour_utc or 0) // DAY_US * DAY_US,
                *place,
                message.error_category,
                message.error_party,
                message.error_permanent,
                message.error_code,
                message.error_match,
            ] += 1

    def add_waiting(self, row: SendRow, unknown_until_us: int | None) -> None:
        """Add a send without a report, where it is counted."""
        if row.match == "none":
            place = (row.waiting_hour_us, row.country_code, row.range_operator, row.tag)
            is_unknown = unknown_until_us is not None and row.sent_us <= unknown_until_us
            self.hours[place][8 if is_unknown else 7] += 1


def fingerprint(low: int, high: int) -> str:
    """Two sums as 32 hexadecimal digits."""
    return f"{high:016x}{low:016x}"


def _text(row: Message) -> str:
    """Write a row as a JSON array of what does not depend on its arrival."""
    place = _all_as_json(row.country_code, row.range_operator, row.report_status)
    cause = _all_as_json(
        row.error_code,
        row.error_detail,
        row.error_category,
        row.error_party,
        row.error_permanent,
        row.error_match,
    )
    columns = (
        as_json(row.sid),
        as_json(row.uid),
        as_json(row.mobile),
        as_json(row.mobile_e164),
        place,
        as_json(row.handset_time_utc),
        as_json(row.handset_time_raw),
        cause,
        as_json(row.conflicting),
        as_json(row.sent_at_utc),
        as_json(row.tag),
    )
    return f"[{','.join(columns)}]"
