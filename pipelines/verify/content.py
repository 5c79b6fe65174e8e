"""What ``core.sms_status`` holds as a whole: its fingerprint, and its counts by hour and day."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import md5
from typing import Any

from pipelines.verify.clock import DAY_US
from pipelines.verify.sends import SendRow
from pipelines.verify.tables import Message

_WRAP = 2**64


def hash_field(value: Any) -> str:  # noqa: ANN401  any column
    """Return a column's text; absent and empty differ, and none runs into the next."""
    if value is None:
        return "-"
    text = value if value.__class__ is str else _plain(value)
    return f"{len(text)}:{text}"


def _plain(value: Any) -> str:  # noqa: ANN401  any column
    return str(value).lower() if isinstance(value, bool) else str(value)


@lru_cache(maxsize=1 << 14)
def _hash_fields(*values: Any) -> str:  # noqa: ANN401  any columns
    """Several columns that repeat from row to row."""
    return "".join(map(hash_field, values))


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
    place = _hash_fields(row.country_code, row.range_operator, row.report_status)
    cause = _hash_fields(
        row.error_category,
        row.error_party,
        row.error_permanent,
        row.error_match,
        # a bool equals a number, and would be found under it
        str(row.conflicting).lower(),
        row.sent_at_utc,
        row.tag,
    )
    return (
        f"{hash_field(row.sid)}{hash_field(row.uid)}{hash_field(row.mobile)}"
        f"{hash_field(row.mobile_e164)}{place}{hash_field(row.handset_time_utc)}"
        f"{hash_field(row.handset_time_raw)}{hash_field(row.error_code)}"
        f"{hash_field(row.error_detail)}{cause}"
    )
