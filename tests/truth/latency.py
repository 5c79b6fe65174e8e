"""Latency: exact percentiles and buckets, over delivered messages."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from tests.truth.arithmetic import percentile, rate
from tests.truth.attribution import Attribution
from tests.truth.delivery import Key, hour_of
from tests.truth.messages import Report, microseconds

BOUNDS_S = (1, 2, 3, 5, 10, 30, 60, 180, 600, 3600)
_BOUNDS_US = [bound * 1_000_000 for bound in BOUNDS_S]
PERCENTILES = {"p50_s": 50, "p90_s": 90, "p95_s": 95, "p99_s": 99}
MINUTES_ONLY_FROM = 10
LONGEST_WAIT = timedelta(hours=72)


class Value(NamedTuple):
    """One measured interval."""

    microseconds: int
    on_the_minute: bool
    """Whether the handset's time has no seconds."""


def measure(reports: Iterable[Report], sends: Attribution) -> dict[Key, list[Value]]:
    """What was measured, in order, by hour, country, operator and interval."""
    values: dict[Key, list[Value]] = defaultdict(list)
    for report in reports:
        if report.delivered:
            cut = (hour_of(report.event_time), report.country, report.operator)
            whole = report.handset_time is not None and not report.handset_time.second
            for interval, value in _intervals(report, sends):
                values[(*cut, interval)].append(Value(value, whole))
    return {key: sorted(found) for key, found in values.items()}


def _intervals(report: Report, sends: Attribution) -> Iterable[tuple[str, int]]:
    if report.lag_us is not None:
        yield "report_lag", report.lag_us
    send = sends.by_sid.get(report.sid)
    if send is not None:
        if report.handset_time is not None:
            yield "handset_latency", microseconds(send.sent_at, report.handset_time)
        yield "end_to_end", microseconds(send.sent_at, report.received)


def latency_rows(
    reports: Iterable[Report], values: dict[Key, list[Value]]
) -> dict[Key, dict[str, Any]]:
    """What `marts.latency_hourly` must hold."""
    delivered = Counter(
        (hour_of(report.event_time), report.country, report.operator)
        for report in reports
        if report.delivered
    )
    return {
        key: _row([value.microseconds for value in found], delivered[key[:3]])
        | _minutes(key[3], found)
        for key, found in values.items()
    }


def _row(ordered: list[int], delivered: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "n": len(ordered),
        "negative": sum(value < 0 for value in ordered),
        "max_s": ordered[-1] / 1_000_000,
        "coverage": rate(len(ordered), delivered),
    }
    for name, per_cent in PERCENTILES.items():
        row[name] = float(percentile(ordered, Fraction(per_cent, 100)) / 1_000_000)
    return row


def _minutes(interval: str, found: list[Value]) -> dict[str, Any]:
    """Whether the operator gives minutes only; not said where our clock stands against yours."""
    if interval == "end_to_end":
        return {"on_the_minute": None, "minutes_only": None}
    whole = sum(value.on_the_minute for value in found)
    enough = len(found) >= MINUTES_ONLY_FROM
    return {"on_the_minute": whole, "minutes_only": 2 * whole >= len(found) if enough else None}


def bucket_rows(values: dict[Key, list[Value]]) -> dict[Key, dict[str, Any]]:
    """What `marts.latency_buckets_hourly` must hold."""
    counts: Counter[Key] = Counter()
    for key, found in values.items():
        for value in found:
            counts[(*key, _bound(value.microseconds))] += 1
    return {key: {"n": n} for key, n in counts.items()}


def _bound(value_us: int) -> float:
    place = bisect_left(_BOUNDS_US, value_us)
    return float(BOUNDS_S[place]) if place < len(BOUNDS_S) else float("inf")


def reports_come_within(values: dict[Key, list[Value]]) -> timedelta:
    """The bound of the buckets within which 99 % of all reports came; 72 h where none is."""
    bounds = sorted(
        _bound(value.microseconds)
        for key, found in values.items()
        if key[3] == "report_lag"
        for value in found
    )
    if not bounds:
        return LONGEST_WAIT
    bound = bounds[-(-99 * len(bounds) // 100) - 1]
    return LONGEST_WAIT if bound == float("inf") else timedelta(seconds=bound)


def is_provisional(hour: datetime, as_of: datetime, within: timedelta) -> bool:
    """Whether reports of the hour are still coming in."""
    return as_of < hour + timedelta(hours=1) + within
