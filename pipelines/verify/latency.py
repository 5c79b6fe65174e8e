"""Latencies of the delivered messages, and what the latency marts must say of them."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from pipelines.verify.clock import HOUR_US, SECOND_US
from pipelines.verify.rates import WAIT_US
from pipelines.verify.spill import Row
from pipelines.verify.tables import Message

_INTERVALS = ("report_lag", "handset_latency", "end_to_end")
_BOUNDS = (1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0, 3600.0, math.inf)
_SHARES = (0.5, 0.9, 0.95, 0.99)
_ENOUGH = 10
"""Messages from which on it can be told that an operator gives minutes only."""


def latencies(message: Message) -> Iterator[Row]:
    """Yield hour, place, interval, value and whether the handset's time lies on the minute."""
    if not message.delivered:
        return
    hour = message.event_hour_utc or 0
    on_minute = (message.handset_time_utc or 0) // SECOND_US % 60 == 0
    values = (message.report_lag_s, message.handset_latency_s, message.end_to_end_s)
    for interval, value in zip(_INTERVALS, values, strict=True):
        if value is not None:
            place = (message.country_code, message.range_operator, interval)
            yield (hour // HOUR_US, hour, *place, value, on_minute)


class LatencyBucket:
    """The latencies of some hours."""

    def __init__(self, rows: Iterable[Row], delivered: Counter[tuple[Any, ...]]) -> None:
        self._delivered = delivered
        self._values: defaultdict[tuple[Any, ...], list[float]] = defaultdict(list)
        self._minutes: Counter[tuple[Any, ...]] = Counter()
        for _, *place, value, on_minute in rows:
            self._values[tuple(place)].append(value)
            self._minutes[tuple(place)] += on_minute

    def hourly(self) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
        """Yield the rows of ``marts.latency_hourly`` by hour, country, operator and interval."""
        for place, values in self._values.items():
            n, ordered = len(values), sorted(values)
            minutes = None if place[-1] == "end_to_end" else self._minutes[place]
            only = None if minutes is None or n < _ENOUGH else minutes >= n / 2
            shares = [_percentile(ordered, share) for share in _SHARES]
            negative = sum(value < 0 for value in values)
            coverage = n / self._delivered[place[:3]]
            yield place, [n, negative, minutes, only, *shares, ordered[-1], coverage]

    def buckets(self) -> Counter[tuple[Any, ...]]:
        """Count ``n`` of ``marts.latency_buckets_hourly`` by place and bound."""
        return Counter(
            (*place, next(bound for bound in _BOUNDS if value <= bound))
            for place, values in self._values.items()
            for value in values
        )


def _percentile(ordered: list[float], share: float) -> float:
    """Interpolate between neighbours, as numpy does by default."""
    at = share * (len(ordered) - 1)
    low, high = ordered[math.floor(at)], ordered[math.ceil(at)]
    return low + (high - low) * (at - math.floor(at))


def settled_after(buckets: Counter[tuple[Any, ...]]) -> float:
    """Return the bound within which 99 % of the lags lie; 72 h above an hour, or without any."""
    lags: Counter[float] = Counter()
    for (*_, interval, bound), n in buckets.items():
        if interval == "report_lag":
            lags[bound] += n
    needed, so_far = -(-99 * lags.total() // 100), 0
    for bound in sorted(lags):
        so_far += lags[bound]
        if so_far >= needed and bound < math.inf:
            return bound
    return WAIT_US / SECOND_US
