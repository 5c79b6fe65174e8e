"""What the delivery marts must say, from counts of messages and of sends without a report."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.verify.clock import DAY_US, HOUR_US

WAIT_US = 72 * HOUR_US
"""A send without a report is pending for so long, then unknown."""
_Z = 1.959963984540054

Place = tuple[Any, ...]
"""Hour or day in microseconds, country, operator, tag."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the marts speak of as now."""

    as_of_us: int | None
    settled_after_s: float

    @property
    def final_until_us(self) -> int | None:
        """Hours that begin later are provisional; None where all are."""
        if self.as_of_us is None:
            return None
        return self.as_of_us - HOUR_US - int(self.settled_after_s * 1_000_000)

    @property
    def unknown_until_us(self) -> int | None:
        """What was sent up to here and has no report is unknown."""
        return None if self.as_of_us is None else self.as_of_us - WAIT_US

    def is_provisional(self, hour_us: int | None) -> bool:
        """Tell whether reports of the hour may still come in."""
        final = self.final_until_us
        return final is None or hour_us is None or hour_us > final


def hourly(hours: Mapping[Place, list[int]], moment: Moment) -> dict[Place, list[Any]]:
    """Return the rows of ``marts.delivery_hourly`` by place."""
    return {
        place: _row(_nulled(counts), provisional=moment.is_provisional(place[0]))
        for place, counts in hours.items()
    }


def daily(hours: Mapping[Place, list[int]], moment: Moment) -> dict[Place, list[Any]]:
    """Return the rows of ``marts.delivery_daily`` by place."""
    sums: defaultdict[Place, list[int]] = defaultdict(lambda: [0] * 9)
    open_days: set[Place] = set()
    for (hour, *cut), counts in hours.items():
        day = ((hour or 0) // DAY_US * DAY_US, *cut)
        sums[day] = [a + b for a, b in zip(sums[day], counts, strict=True)]
        if moment.is_provisional(hour):
            open_days.add(day)
    return {
        day: _row(_nulled(counts), provisional=day in open_days) for day, counts in sums.items()
    }


def _nulled(counts: list[int]) -> list[int | None]:
    """Counts in the order of the columns; those of sends null where none is known."""
    reports, delivered, failed, at_recipient, *sends = counts
    reported, _, _, pending, unknown = sends
    sent = reported + pending + unknown
    return [reports, delivered, failed, at_recipient, *([sent, *sends] if sent else [None] * 6)]


def _row(counts: list[int | None], *, provisional: bool) -> list[Any]:
    reports, delivered, _, _, sent, reported, arrived, at_recipient, pending, _ = counts
    could = None if sent is None else sent - (pending or 0) - (at_recipient or 0)
    rates = ((delivered, reports), (arrived, sent), (reported, sent), (arrived, could))
    return [*counts, provisional, *(one for pair in rates for one in _interval(*pair))]


def _interval(part: int | None, whole: int | None) -> Iterator[float | None]:
    """Yield a rate and the ends of its 95 % interval, by Wilson's centre and half width."""
    if part is None or not whole:
        yield from (None, None, None)
        return
    share, weight = part / whole, _Z * _Z / whole
    centre = (share + weight / 2) / (1 + weight)
    half = _Z * math.sqrt(share * (1 - share) / whole + weight / (4 * whole)) / (1 + weight)
    yield from (share, max(0.0, centre - half), min(1.0, centre + half))
