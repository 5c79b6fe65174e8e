"""No pushes for longer than usual: learned from the hours before, said by status and alerts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.models.warehouse import open_warehouse
from pipelines.runs.silence import silence, usual_silence
from pipelines.runs.status import read_status
from tests.data_folder import form, land, push, record, run, settings_of

NOW = datetime(2026, 11, 25, 10, 20)  # a Wednesday
HOUR = timedelta(hours=1)


def history(weeks: int, pushes: Callable[[datetime], int]) -> dict[datetime, int]:
    """Pushes by hour until a week before now, as a function of the hour counts them."""
    first = NOW.replace(minute=0) - timedelta(weeks=weeks)
    hours = [first + n * HOUR for n in range(weeks * 7 * 24)]
    return {hour: count for hour in hours if (count := pushes(hour))}


def by_day(hour: datetime) -> int:
    """Pushes from 8 to 20 on working days."""
    return 100 if 8 <= hour.hour < 20 and hour.isoweekday() <= 5 else 0


def test_a_busy_hour_is_missed_after_half_an_hour() -> None:
    assert usual_silence(history(4, lambda _: 100), NOW) == timedelta(minutes=30)


def test_a_thin_hour_may_be_silent_for_two_hours() -> None:
    assert usual_silence(history(4, lambda _: 1), NOW) == 2 * HOUR
    thin_once = history(
        4, lambda hour: 59 if hour == NOW.replace(minute=0) - 14 * 24 * HOUR else 100
    )
    assert usual_silence(thin_once, NOW) == 2 * HOUR


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 11, 25, 10, 20), 0.5),  # Wednesday, amid the day
        (datetime(2026, 11, 25, 8, 50), 12 + 2),  # the first hour: the night counts
        (datetime(2026, 11, 25, 3, 10), 8 + 2),  # the night so far
        (datetime(2026, 11, 29, 12, 0), 24 + 4 + 13 + 2),  # Sunday noon, since Friday evening
        (datetime(2026, 11, 30, 8, 30), 60 + 2),  # Monday morning
    ],
)
def test_nights_and_weekends_are_usual(now: datetime, hours: float) -> None:
    first = datetime(2026, 10, 1)
    pushes = {
        hour: by_day(hour)
        for hour in (first + n * HOUR for n in range(24 * 90))
        if hour <= now and by_day(hour)
    }
    assert usual_silence(pushes, now) == hours * HOUR


@pytest.mark.parametrize(("weeks_ago", "hours"), [(4, 5 + 2), (5, 0.5)])
def test_a_long_outage_is_usual_for_four_weeks(weeks_ago: int, hours: float) -> None:
    out = NOW.replace(minute=0) - timedelta(weeks=weeks_ago)
    pushes = history(9, lambda hour: 0 if out - 5 * HOUR < hour <= out else 100)
    assert usual_silence(pushes, NOW) == hours * HOUR


def test_status_says_so(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data")
    last = datetime.now(UTC) - 3.2 * HOUR
    hours = [last - n * HOUR for n in range(15 * 24)]
    body = form([record(1)])
    land(settings, [push(body, n, received_at=at) for n, at in enumerate(hours)])
    run(settings)
    [problem] = read_status(settings).named_problems
    assert problem.name == "no_pushes"
    assert "No push has come for 3.2 h; at this hour of the week 2.0 h is" in problem.sentence
    with open_warehouse(settings, read_only=True) as con:
        last_utc = last.replace(tzinfo=None)
        for later_h, is_unusual in ((1.9, False), (2.1, True), (24 * 100, True)):
            looked = silence(con, last_utc + later_h * HOUR, None)
            assert looked
            assert looked.is_unusual == is_unusual
            assert looked.lasted == later_h * HOUR
        assert silence(con, last_utc - timedelta(days=9), None) is None  # five days of pushes
    # a file that waits ends it, before any run
    land(settings, [push(body, 9_999_999, received_at=datetime.now(UTC))], "b")
    assert read_status(settings).problems == []
