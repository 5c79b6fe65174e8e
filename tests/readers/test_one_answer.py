"""The same question to the report, to `analytics.duckdb` by SQL, to Parquet by Polars: one answer.

The report's figures are those it carries in `#figures`. SQL counts messages, Polars adds up the
marts, and neither has a line of `warehouse/report`. Counts, rates, times and bounds must be equal;
ends of intervals go through a root, and chi-square through sums of squares: 14 and 12 digits.
"""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.folder.show import manifest_path
from pipelines.publish.report.figures import plain
from pipelines.publish.report.store import report_path
from pipelines.sends.files import bring_in
from tests.data_folder import form, land, push, record, run, settings_of
from tests.readers import by_sql
from tests.readers.by_polars import ByPolars
from tests.readers.published import Published
from tests.simulated import Traffic, land_in_files, simulated

KEYS: dict[str, tuple[str, ...]] = {
    "state": (),
    "headline": ("period",),
    "delivery": ("at_utc",),
    "countries": ("country_code",),
    "operators": ("country_code", "range_operator"),
    "causes": ("category", "party"),
    "failures": ("at_utc", "category"),
    "codes": ("code", "category", "party", "match"),
    "latency": ("interval", "at_utc"),
    "latency_headline": ("interval", "period"),
    "latency_operators": ("interval", "country_code", "range_operator"),
    "distribution": ("interval", "upper_bound_s"),
    "health": ("at_utc",),
    "unmapped": ("operator", "code"),
    "coverage": (),
    "suspicious": ("day_utc", "country_code", "range_operator"),
}
"""What names a row of each figure. Everything else in it is a number, a time or a yes or no."""
WORDS = {"example", "meaning", "fingerprint"}
"""Not counted by anybody: examples, explanations; the fingerprint is the manifest's."""
MADE_UP = ("DB:0102", "CA:0051", "DB:0140", " db:0103 ", "CB:0007", "MK:0021")
_TOLERANCE = {"low": 1e-14, "high": 1e-14, "chi_square": 1e-12}

Keyed = dict[tuple[Any, ...], dict[str, Any]]


def odd_failures(at: datetime) -> Iterator[dict[str, object]]:
    """Failures that look made up, codes that nobody knows, two of which hold a phone number."""
    local = (at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    codes = [
        *MADE_UP * 20,
        *["ZZ:0001"] * 3,
        "to 13800138000",
        "to 13900139000",
        "",
        " ",
        "\u3000",
        None,
    ]
    for n, code in enumerate(codes):
        yield record(
            n + 1,
            report_status="FAIL",
            user_receive_time=local,
            error_msg=code,
            error_detail="空号",
        )


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    """Two weeks, so that there is a period before, with some bad records."""
    folder = tmp_path_factory.mktemp("one answer")
    return simulated(folder, messages=5_000, days=14.4, seed=8, bad=0.01, damaged=0.02)


@pytest.fixture(scope="module", params=["without a send log", "with a send log"])
def asked(
    request: pytest.FixtureRequest, traffic: Traffic, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    """The traffic and a push of odd failures, published."""
    settings = settings_of(tmp_path_factory.mktemp("published") / "data")
    at = traffic.envelopes[-1].received_at - timedelta(days=2)
    land_in_files(settings, traffic.envelopes)
    odd = form(list(odd_failures(at)))
    land(settings, [push(odd, 10**7, received_at=at + timedelta(seconds=4))], "odd")
    if request.param == "with a send log":
        assert bring_in(settings, traffic.log)
    run(settings)
    return Published(settings, traffic)


def figures_in(path: Path) -> dict[str, Any]:
    """The numbers a report carries."""
    page = path.read_text(encoding="utf-8")
    [text] = re.findall(r'<script type="application/json" id="figures">(.*?)</script>', page)
    found: dict[str, Any] = json.loads(text)
    return found


def rows_of(figures: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found: Any = figures[name]
    if name == "headline":
        return [{"period": period, **row} for period, row in found.items()]
    return [found] if name == "state" else list(found)


def keyed(name: str, rows: Iterable[dict[str, Any]]) -> Keyed:
    """Rows by what names them, as JSON data."""
    found: Keyed = {}
    for row in rows:
        values = {column: plain(value) for column, value in row.items() if column not in WORDS}
        key = tuple(values.pop(column) for column in KEYS[name])
        assert key not in found, (name, key)
        found[key] = values
    return found


def period_of(figures: dict[str, Any]) -> dict[str, Any]:
    """The days that were asked for."""
    names = ("from_utc", "to_utc", "shown_to_utc", "before_from_utc", "before_to_utc")
    moments = {
        name: datetime.fromisoformat(figures["period"][name]).replace(tzinfo=None) for name in names
    }
    return {**moments, "step_hours": figures["period"]["step_hours"]}


def differences(expected: Keyed, found: Keyed) -> list[object]:
    """What is not equal, with both values."""
    if expected.keys() != found.keys():
        return [("only here", expected.keys() - found.keys(), found.keys() - expected.keys())]
    wrong: list[object] = []
    for key, row in expected.items():
        if row.keys() != found[key].keys():
            wrong.append((key, row.keys() ^ found[key].keys()))
            continue
        wrong += [
            (key, column, value, found[key][column])
            for column, value in row.items()
            if not same(column, value, found[key][column])
        ]
    return wrong


def same(column: str, one: Any, other: Any) -> bool:
    tolerance = next((size for end, size in _TOLERANCE.items() if column.endswith(end)), None)
    if tolerance is None or one is None or other is None:
        return bool(one == other)
    return bool(abs(one - other) <= tolerance * max(1.0, abs(one)))


def test_three_ways_one_answer(asked: Published) -> None:
    figures = figures_in(report_path(asked.settings))
    period = period_of(figures)
    assert figures["comparable"]
    sql = by_sql.answers(asked.database, period)
    polars = ByPolars(asked.files, period).answers()
    assert set(KEYS) == set(polars) == set(figures) - {"period", "comparable"}
    wrong = {}
    for name in KEYS:
        shown = keyed(name, rows_of(figures, name))
        assert shown, name
        for way, rows in (("SQL", sql[name]), ("Polars", polars[name])):
            if found := differences(shown, keyed(name, rows)):
                wrong[name, way] = found[:5]
    assert wrong == {}
    manifest = json.loads(manifest_path(asked.settings).read_text("utf-8"))
    assert figures["state"]["fingerprint"] == manifest["fingerprint"]


def test_the_traffic_has_something_to_disagree_on(asked: Published) -> None:
    figures = figures_in(report_path(asked.settings))
    now, before = figures["headline"]["now"], figures["headline"]["before"]
    assert before["reports"] > 1_000
    assert 0 < now["provisional_reports"] < now["reports"]
    assert len(figures["countries"]) > 3
    assert len(figures["causes"]) > 5
    assert {row["interval"] for row in figures["latency"]} >= {"report_lag"}
    assert any(row["minutes_only"] for row in figures["latency_operators"])
    assert any(row["negative"] for row in figures["latency_operators"])
    assert sum(row["rejected"] for row in figures["health"]) > 10
    assert sum(row["salvaged_pushes"] for row in figures["health"])
    assert figures["coverage"][0]["unmapped"] > 3
    assert figures["suspicious"]
    [masked] = [row for row in figures["unmapped"] if row["code"] == "to ****"]
    assert masked["failures"] == 2
    if now["sent"] is not None:
        assert now["sent"] > now["reports"] - 1_000
        assert now["pending"] > 0
        assert now["unknown"] > 0
    assert date.fromisoformat(figures["period"]["first_day"]) > date.fromisoformat(
        figures["state"]["first_day_utc"]
    )
