"""On a week of simulated traffic every number is the one computed from what really happened.

At once, in a split into runs, after a rebuild, without a send log, with a whole and a patchy one.
Counts and rates must be equal to the bit. Intervals of uncertainty go through a root: 14 digits.
Percentiles, interpolated between values in whole microseconds, are whole hundredths of one: equal
to half of such a hundredth. Chi-square is one large number less another: 10 digits.
"""

import csv
import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from contract.settings import Settings
from pipelines.folder.show import analytics_path
from pipelines.runs.rebuild import rebuild
from pipelines.sends.files import bring_in
from pipelines.verify import verify
from tests.data_folder import FIRST, ask, form, land_bodies, record, run, settings_of, take
from tests.simulated import (
    Traffic,
    as_people_keep_it,
    bring_in_sends,
    land_in_files,
    random_split,
    simulated,
)
from tests.truth.codes import Meaning, meaning
from tests.truth.coverage import OFTEN_MADE_UP
from tests.truth.figures import KEYS, Figures, figures
from tests.truth.messages import Report, Send, naive
from tests.truth.numbers import REFERENCE

MESSAGES = int(os.environ.get("DLR_TEST_MESSAGES", "15000"))
_TOLERANCE = {"_low": 1e-14, "_high": 1e-14, "_s": 5e-9, "chi_square": 1e-10}
"""By ending of the column; every other value must be equal."""


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    """A week of traffic."""
    return simulated(tmp_path_factory.mktemp("week"), messages=MESSAGES, days=7, seed=11)


@pytest.fixture(scope="module")
def patchy(week: Traffic) -> tuple[list[Send], Figures]:
    """A send log as people keep it, and what must come out with it."""
    sends = as_people_keep_it(week.sends, seed=5)
    return sends, week.figures(sends)


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
                if not same(name, found[key][name], value)
            }
            assert not differing, (table, key, "is, should be", differing)


def same(column: str, found: Any, expected: Any) -> bool:
    ending = next((ending for ending in _TOLERANCE if column.endswith(ending)), None)
    if ending is None or found is None or expected is None:
        return bool(found == expected)
    return bool(abs(found - expected) <= _TOLERANCE[ending])


def test_the_week_has_every_kind_of_message(patchy: tuple[list[Send], Figures]) -> None:
    _, truth = patchy
    totals: Counter[str] = Counter()
    for row in truth.tables["marts.delivery_daily"].values():
        totals.update({name: value for name, value in row.items() if isinstance(value, int)})
    for row in truth.tables["marts.latency_hourly"].values():
        totals.update(negative=row["negative"])
    for key in truth.tables["marts.failures_daily"]:
        totals.update([key[-1]])
    assert truth.sends.repeated
    assert truth.sends.ambiguous
    wanted = {"pending", "unknown", "provisional", "negative", "failed_at_recipient", "none"}
    wanted |= {"operator", "any_operator", "pattern"}
    assert not [name for name in wanted if not totals[name]]


def test_without_a_send_log_then_with_it_and_after_a_rebuild(week: Traffic, tmp_path: Path) -> None:
    """One folder in one test: what the log adds to it must not be there for another."""
    settings = settings_of(tmp_path / "data")
    land_in_files(settings, week.envelopes)
    run(settings)
    truth = week.figures()
    reports = sum(row["reports"] for row in truth.tables["marts.delivery_daily"].values())
    assert reports == len(week.reports)
    assert_equal_to_truth(settings, truth)
    assert bring_in(settings, week.log)
    run(settings)
    truth = week.figures(week.sends)
    assert len(truth.sends.unreported) == MESSAGES - len(week.reports)
    assert_equal_to_truth(settings, truth)
    rebuild(settings, "rebuild")
    assert_equal_to_truth(settings, truth)


def test_with_a_log_as_people_keep_it_in_a_random_split_into_runs(
    week: Traffic, patchy: tuple[list[Send], Figures], tmp_path: Path
) -> None:
    settings = settings_of(tmp_path / "data")
    sends, truth = patchy
    for n, heap in enumerate(random_split(week.envelopes, 3, seed=3)):
        land_in_files(settings, heap, f"{n}-")
        bring_in_sends(settings, sends[n::3], tmp_path / str(n))
        take(settings)
    run(settings)
    assert_equal_to_truth(settings, truth)


EVENNESS = [
    # how often each of the six codes, and whether that looks made up
    ("china_mobile", [10] * 6, True),
    ("china_telecom", [9, 10, 10, 10, 10, 10], False),
    ("china_unicom", [20, 20, 20, 20, 20, 0], False),
    ("awcc", [8, 17, 21, 24, 25, 25], True),
    (None, [9, 20, 20, 20, 21, 30], False),
]


def failed(sid: int, operator: str | None, code: str | None) -> Report:
    """What the truth says of a `record` that failed in the first push."""
    at = datetime(2026, 3, 2, 7, 59, 57)
    return Report(
        sid=sid,
        uid="abc",
        country={"awcc": "AF", None: "US"}.get(operator, "CN"),
        operator=operator,
        delivered=False,
        handset_time=at,
        received=naive(FIRST),
        event_time=at,
        error_code=code,
        error_detail="接收成功",
    )


def test_failures_that_look_made_up(tmp_path: Path) -> None:
    """No such traffic is simulated: it is put together here, up to both limits."""
    reports: list[Report] = []
    batch = []
    for operator, counts, _ in EVENNESS:
        codes = [code for code, n in zip(OFTEN_MADE_UP, counts, strict=True) for _ in range(n)]
        codes = [f" {code.lower()} " if n % 3 else code for n, code in enumerate(codes)]
        for code in [*codes, "MK:0001", "ZQ:9917", "", " ", "\u3000", "\t\v", None]:
            sid = len(reports)
            batch.append(
                record(sid, mobile=NUMBERS[operator], error_msg=code, report_status="FAIL")
            )
            reports.append(failed(sid, operator, code))
    settings = settings_of(tmp_path / "data")
    land_bodies(settings, [form(batch)])
    run(settings)
    truth = figures(reports, [], naive(FIRST))
    suspicious = truth.tables["marts.suspicious_codes_daily"]
    found = {key[2]: row["failures"] for key, row in suspicious.items()}
    assert found == {operator: sum(counts) for operator, counts, made_up in EVENNESS if made_up}
    assert_equal_to_truth(settings, truth)
    assert verify(settings).findings == []


NUMBERS = {
    "china_mobile": "13400000001",
    "china_telecom": "13300000001",
    "china_unicom": "13000000001",
    "awcc": "+93700000001",
    None: "+12125550100",
}
"""Made-up numbers of each operator."""


def test_every_published_code_means_the_same_at_every_operator(tmp_path: Path) -> None:
    with (REFERENCE / "carrier_errors.csv").open(encoding="utf-8", newline="") as file:
        literals = {row["code"] for row in csv.DictReader(file)}
    spellings = {f" {code.lower()} " for code in sorted(literals)[::7]}
    codes = [*sorted(literals | spellings), "CA:0999", "EXPIRED_047", "ZQ:9917", "", None]
    asked = [(operator, code) for operator in NUMBERS for code in codes]
    settings = settings_of(tmp_path / "data")
    bodies = [
        form(
            [
                record(sid, mobile=NUMBERS[operator], error_msg=code, report_status="FAIL")
                for sid, (operator, code) in enumerate(asked[start : start + 500], start)
            ]
        )
        for start in range(0, len(asked), 500)
    ]
    land_bodies(settings, bodies)
    run(settings)
    columns = "error_match, error_category, error_party, error_permanent"
    rows = ask(settings, f"select range_operator, error_code, {columns} from core.sms_status")
    found = {(operator, code): Meaning(*rest) for operator, code, *rest in rows}
    assert found.keys() == set(asked)
    assert {key: (found[key], meaning(*key)) for key in asked if found[key] != meaning(*key)} == {}
    assert {one.match for one in found.values()} == {
        "operator",
        "any_operator",
        "other_operators",
        "pattern",
        "none",
    }
