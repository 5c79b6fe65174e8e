"""What the send log must come to, in plain Python that shares nothing with the product.

Beside ``reference.py``, from whose rows of ``core.sms_status`` it starts. Times are naive UTC.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import NormalDist
from typing import Any, NamedTuple

AT_RECIPIENT = ("recipient", "handset")
BOUNDS = (1, 2, 3, 5, 10, 30, 60, 180, 600, 3600, math.inf)
HOURS_72 = timedelta(hours=72)


class Send(NamedTuple):
    """One accepted line of the log."""

    sid: int | None
    uid: str | None
    sent_at: datetime
    tag: str | None
    mobile: str | None


class Match(NamedTuple):
    how: str
    reported_sid: int | None


@dataclass(frozen=True)
class Place:
    """What the reported or logged number says."""

    country: str | None
    operator: str | None


def null_last(value: str | None) -> tuple[bool, str]:
    return (value is None, value or "")


def matches(lines: Iterable[Send], reports: Mapping[int, Mapping[str, Any]]) -> dict[Send, Match]:
    """Which message each distinct line belongs to; by section 'Which send belongs to which'."""
    distinct = set(lines)
    found: dict[Send, Match] = {}
    with_sid = [send for send in distinct if send.sid is not None]
    for sid in {send.sid for send in with_sid}:
        rivals = sorted(
            (send for send in with_sid if send.sid == sid),
            key=lambda s: (s.sent_at, null_last(s.tag), null_last(s.uid), null_last(s.mobile)),
        )
        found |= {send: Match("repeated", None) for send in rivals[1:]}
        found[rivals[0]] = Match("sid", sid) if sid in reports else Match("none", None)
    lone = [send for send in distinct if send.sid is None]
    taken = {send.sid for send in with_sid}
    for send in lone:
        rivals = [other for other in distinct if other.uid == send.uid]
        messages = [sid for sid, row in reports.items() if row["uid"] == send.uid]
        if len(rivals) > 1 or len(messages) > 1 or set(messages) & taken:
            found[send] = Match("ambiguous", None)
        else:
            found[send] = Match("uid", messages[0]) if messages else Match("none", None)
    return found


def hour(time: datetime) -> datetime:
    return time.replace(minute=0, second=0, microsecond=0)


@dataclass
class Model:
    """Everything that follows from the reports, the lines and the moment."""

    reports: Mapping[int, Mapping[str, Any]]
    """Rows of core.sms_status, with ``country``, ``operator`` and ``party`` beside."""
    lines: list[Send]
    places: Mapping[str | None, Place]
    as_of: datetime | None

    def __post_init__(self) -> None:
        self.matches = matches(self.lines, self.reports)
        self.send_of = {
            match.reported_sid: send
            for send, match in self.matches.items()
            if match.reported_sid is not None
        }

    def settled_after(self) -> float:
        """The bound within which 99 % of the lags lie; 72 h where above an hour or unknown."""
        lags = sorted(
            row["report_lag_s"]
            for row in self.reports.values()
            if row["delivered"] and row["report_lag_s"] is not None
        )
        if not lags:
            return 72 * 3600.0
        exact = lags[math.ceil(99 * len(lags) / 100) - 1]
        bound = min(bound for bound in BOUNDS if exact <= bound)
        return float(bound) if bound <= 3600 else 72 * 3600.0

    def provisional(self, begin: datetime) -> bool:
        late = timedelta(hours=1, seconds=self.settled_after())
        return self.as_of is None or self.as_of < begin + late

    def delivery(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Counts by hour, country, operator and tag."""
        counts: dict[tuple[Any, ...], Counter[str]] = {}
        for sid, row in self.reports.items():
            send, place = self.send_of.get(sid), self.places[row["mobile"]]
            tag = send.tag if send else None
            key = (hour(row["event_time_utc"]), place.country, place.operator, tag)
            cell = counts.setdefault(key, Counter())
            names = ["reports", "delivered" if row["delivered"] else "failed"]
            if not row["delivered"] and row["party"] in AT_RECIPIENT:
                names.append("failed_at_recipient")
            cell.update(names)
            if send:
                cell["sent"] += 1
                cell.update(
                    f"sent_{name}" if name != "reports" else "sent_reported" for name in names
                )
        for send, match in self.matches.items():
            if match.how == "none":
                place = self.places[send.mobile]
                key = (hour(send.sent_at), place.country, place.operator, send.tag)
                waiting = self.as_of is None or self.as_of - send.sent_at < HOURS_72
                counts.setdefault(key, Counter()).update(
                    ["sent", "pending" if waiting else "unknown"]
                )
        return {key: self._with_rates(cell) for key, cell in counts.items()}

    def _with_rates(self, cell: Counter[str]) -> dict[str, Any]:
        row: dict[str, Any] = {name: cell[name] for name in COUNTS}
        row |= rate("reported_delivery_rate", cell["delivered"], cell["reports"])
        sent = cell["sent"] or None
        for name in SEND_COUNTS:
            row[name] = cell[name] if sent else None
        could = cell["sent"] - cell["pending"] - cell["sent_failed_at_recipient"]
        row |= rate("delivery_rate", cell["sent_delivered"], cell["sent"])
        row |= rate("receipt_rate", cell["sent_reported"], cell["sent"])
        row |= rate("effective_rate", cell["sent_delivered"], could)
        return row

    def latencies(self) -> dict[tuple[Any, ...], list[float]]:
        """Values of each hour, country, operator and interval, delivered messages only."""
        values: dict[tuple[Any, ...], list[float]] = {}
        for sid, row in self.reports.items():
            if not row["delivered"]:
                continue
            place, send = self.places[row["mobile"]], self.send_of.get(sid)
            for name, value in self.intervals(row, send).items():
                key = (hour(row["event_time_utc"]), place.country, place.operator, name)
                values.setdefault(key, []).extend([] if value is None else [value])
        return values

    @staticmethod
    def intervals(row: Mapping[str, Any], send: Send | None) -> dict[str, float | None]:
        handset, lag = row["handset_time_utc"], row["report_lag_s"]
        received = handset + timedelta(seconds=lag) if handset else row["received_at"]
        return {
            "report_lag": lag,
            "handset_latency": (
                (handset - send.sent_at).total_seconds() if send and handset else None
            ),
            "end_to_end": (received - send.sent_at).total_seconds() if send else None,
        }


COUNTS = ("reports", "delivered", "failed", "failed_at_recipient")
SEND_COUNTS = (
    "sent",
    "sent_reported",
    "sent_delivered",
    "sent_failed_at_recipient",
    "pending",
    "unknown",
)


def rate(name: str, part: int, whole: int) -> dict[str, float | None]:
    low, high = wilson(part, whole) if whole else (None, None)
    return {name: part / whole if whole else None, f"{name}_low": low, f"{name}_high": high}


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 % interval as Wilson has it: where the score test does not reject."""
    z = NormalDist().inv_cdf(0.975)

    def edge(inside: float, outside: float) -> float:
        for _ in range(60):
            middle = (inside + outside) / 2
            score = abs(part / whole - middle) / math.sqrt(middle * (1 - middle) / whole)
            inside, outside = (middle, outside) if score < z else (inside, middle)
        return inside

    low = 0.0 if part == 0 else edge(part / whole, 0.0)
    high = 1.0 if part == whole else edge(part / whole, 1.0)
    return low, high


def percentile(values: Iterable[float], share: float) -> float:
    """Type 7 of Hyndman and Fan."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def nearest_rank(values: Iterable[float], hundredths: int) -> float:
    """The smallest value below or at which so many hundredths lie; whole numbers throughout."""
    ordered = sorted(values)
    return ordered[max(1, -(-hundredths * len(ordered) // 100)) - 1]


def bucket(value: float) -> float:
    return min(bound for bound in BOUNDS if value <= bound)
