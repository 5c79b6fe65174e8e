"""On seeded simulated traffic of a week, every number is the one that plain Python computes from
what really happened: at once, in any split into runs, after a rebuild.

Counts and rates must be equal to the bit. Intervals of uncertainty go through a root, percentiles
lie between two values known to the microsecond: equal to 14 digits, and to a nanosecond.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.settings import Settings
from pipelines.publish import analytics_path
from pipelines.rebuild import rebuild
from tests.data_folder import run, settings_of
from tests.simulated import Traffic, land_in_files, random_split, simulated
from tests.truth.figures import KEYS, Figures

MESSAGES = int(os.environ.get("DLR_TEST_MESSAGES", "200000"))
_TOLERANCE = {"_low": 1e-14, "_high": 1e-14, "_s": 1e-9}
"""By ending of the column; every other value must be equal."""


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    """A week of traffic."""
    return simulated(tmp_path_factory.mktemp("week"), messages=MESSAGES, days=7, seed=11)


@pytest.fixture(scope="module")
def at_once(week: Traffic, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The week, taken in by one run."""
    settings = settings_of(tmp_path_factory.mktemp("at-once") / "data")
    land_in_files(settings, week.envelopes)
    run(settings)
    return settings


def stored(settings: Settings, table: str) -> Iterator[dict[str, Any]]:
    """Rows of a published table by column."""
    with duckdb.connect(analytics_path(settings), read_only=True) as con:
        cursor = con.execute(f"from {table}")
        names = [column[0] for column in cursor.description or ()]
        for row in cursor.fetchall():
            yield dict(zip(names, row, strict=True))


def assert_equal_to_truth(settings: Settings, truth: Figures) -> None:
    """Every row, every column of every mart that is computed from messages."""
    for table, expected in truth.tables.items():
        found = {tuple(row[name] for name in KEYS[table]): row for row in stored(settings, table)}
        assert found.keys() == expected.keys(), table
        for key, row in expected.items():
            differing = {
                name: (found[key][name], value)
                for name, value in row.items()
                if name in found[key] and not same(name, found[key][name], value)
            }
            assert not differing, (table, key, "is, should be", differing)


def same(column: str, found: Any, expected: Any) -> bool:
    ending = next((ending for ending in _TOLERANCE if column.endswith(ending)), None)
    if ending is None or found is None or expected is None:
        return bool(found == expected)
    return bool(abs(found - expected) <= _TOLERANCE[ending])


def test_every_number_of_a_week_without_a_send_log(week: Traffic, at_once: Settings) -> None:
    truth = week.figures()
    assert sum(row["reports"] for row in truth.tables["marts.delivery_daily"].values()) == len(
        week.reports
    )
    assert_equal_to_truth(at_once, truth)


def test_the_same_in_a_random_split_into_runs(week: Traffic, tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data")
    for n, heap in enumerate(random_split(week.envelopes, 4, seed=3)):
        land_in_files(settings, heap, f"{n}-")
        run(settings)
    assert_equal_to_truth(settings, week.figures())


def test_the_same_after_a_rebuild(week: Traffic, at_once: Settings) -> None:
    rebuild(at_once, "rebuild")
    assert_equal_to_truth(at_once, week.figures())
