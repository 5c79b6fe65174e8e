"""Whether no push has come for longer than usual, learned from ``marts.push_health_hourly``.

*Usual* is the longest silence at the same hour of the week in the four weeks before. The table
counts by hour: pushes that left ``n`` whole hours empty were less than ``n + 2`` hours apart, and
that is what is allowed. If the hour was busy in each of those weeks, half an hour is allowed.
Nothing is judged before pushes have come for a week.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

_HOUR = timedelta(hours=1)
_WEEK = timedelta(days=7)
_WEEKS = 4
_BUSY = 60
"""Pushes an hour."""
_BUSY_SILENCE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Silence:
    """How long no push has come, and how long is usual at this hour of the week."""

    lasted: timedelta
    usual: timedelta

    @property
    def is_unusual(self) -> bool:
        """Whether it has lasted longer than ever at this hour."""
        return self.lasted > self.usual


def silence(
    con: duckdb.DuckDBPyConnection, now_utc: datetime, last_pending_utc: datetime | None
) -> Silence | None:
    """The silence of now, None where there is too little to learn from.

    ``last_pending_utc`` is when the newest pending file came; both times are naive.
    """
    rows = con.execute(
        """
        select hour_utc, pushes
        from marts.push_health_hourly
        where hour_utc <= ?
        order by hour_utc
        """,
        [now_utc],
    ).fetchall()
    pushes: dict[datetime, int] = dict(rows)
    if not pushes or max(pushes) - min(pushes) < _WEEK:
        return None
    [(last,)] = con.execute(
        "select max(received_at_utc) from raw.pushes where received_at_utc between ? and ?",
        [max(pushes), now_utc],
    ).fetchall()
    newest = max(time for time in (last, last_pending_utc, max(pushes)) if time is not None)
    return Silence(max(now_utc - newest, timedelta()), usual_silence(pushes, now_utc))


def usual_silence(pushes: Mapping[datetime, int], now_utc: datetime) -> timedelta:
    """The longest that is usual, from the number of pushes by hour (only hours with any)."""
    hour = now_utc.replace(minute=0, second=0, microsecond=0)
    first = min(pushes)
    # the hour before counts as well: silence may have ended within the hour
    like_now = [
        hour - week * _WEEK - back
        for week in range(1, _WEEKS + 1)
        for back in (timedelta(), _HOUR)
        if hour - week * _WEEK - back >= first
    ]
    if like_now and all(pushes.get(one, 0) >= _BUSY for one in like_now):
        return _BUSY_SILENCE
    longest = max((_empty_hours(pushes, one) for one in like_now), default=0)
    return (longest + 2) * _HOUR


def _empty_hours(pushes: Mapping[datetime, int], hour: datetime) -> int:
    """Hours without a push up to ``hour``."""
    last = max(one for one in pushes if one <= hour)
    return (hour - last) // _HOUR
