"""When the schedules tick, as Dagster reckons it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator  # what its daemon asks

from pipelines.definitions import defs

AT = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)
"""Before the night in which Europe sets its clocks forward."""


def ticks(name: str) -> Iterator[datetime]:
    schedule = defs().get_repository_def().get_schedule_def(name)
    assert isinstance(schedule, dg.ScheduleDefinition)
    return schedule_execution_time_iterator(
        AT.timestamp(), schedule.cron_schedule, schedule.execution_timezone
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hourly_refresh", ["28 23:07", "29 00:07", "29 01:07", "29 02:07", "29 03:07"]),
        ("daily_housekeeping", ["29 03:37", "30 03:37", "31 03:37"]),
    ],
)
def test_when_a_schedule_ticks(name: str, expected: list[str]) -> None:
    found = [at.astimezone(UTC) for at in islice(ticks(name), len(expected))]
    assert [f"{at:%d %H:%M}" for at in found] == expected
