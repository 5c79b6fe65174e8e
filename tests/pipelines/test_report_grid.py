"""Whatever met whatever in two periods, every section of the report renders, and every chart.

Each day has one of six states, in an order in which every state follows every other once. A report
of one day, compared with the day before, is one place of the grid.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise, product
from pathlib import Path

import duckdb
import pytest

from contract.settings import Settings
from pipelines import models
from pipelines.folder.show import analytics_path
from pipelines.models.warehouse import open_warehouse
from pipelines.publish.report import charts
from pipelines.publish.report.charts import chart_of
from pipelines.publish.report.figures import read_figures, set_period
from pipelines.publish.report.page import chart_library, render
from tests.data_folder import FIRST, form, land, push, record, run, settings_of

STATES = ("nothing", "delivered", "failed", "both", "sent", "sent and delivered")
MOBILES = {"CN": "15205201314", "AF": "+93703334567", "unknown": "a friend"}
CHARTED = ("delivery_hourly", "latency_hourly", "failures_daily", "push_health_hourly")
START = FIRST + timedelta(days=2)


def order() -> list[str]:
    """Six states so that each of the 36 pairs stands side by side once (of de Bruijn, by words)."""
    left = set(product(STATES, STATES))
    path, found = [STATES[0]], []
    while path:
        after = next((state for state in STATES if (path[-1], state) in left), None)
        if after is None:
            found.append(path.pop())
        else:
            left.discard((path[-1], after))
            path.append(after)
    return found[::-1]


ORDER = order()


def days_of(country: int) -> Iterator[tuple[int, datetime, str]]:
    """Number, noon and state of each day; countries begin at other places of the order."""
    for day in range(len(ORDER)):
        at = START + timedelta(days=day, hours=4)
        yield 1000 * country + 10 * day, at, ORDER[(day + 11 * country) % len(ORDER)]


def fill(settings: Settings, countries: tuple[str, ...], *, with_log: bool) -> None:
    """Land reports and send log of every day, and publish them."""
    pushes = [push(form([]), 9999, received_at=FIRST - timedelta(days=40))]
    sends = []
    for place, country in enumerate(countries):
        for sid, at, state in days_of(place):
            if "sent" in state:
                sends.append(f"{sid},{at - timedelta(seconds=9):%Y-%m-%dT%H:%M:%SZ},")
                sends.append(f"{sid + 1},{at:%Y-%m-%dT%H:%M:%SZ},{MOBILES[country]}")
            local = f"{at + timedelta(hours=8):%Y-%m-%d %H:%M:%S}"
            fields = {"mobile": MOBILES[country], "user_receive_time": local}
            good = (
                [record(sid, **fields)] if state in ("both", "delivered") or "and" in state else []
            )
            bad = {"report_status": "FAIL", "error_msg": f"X:{sid}"}
            failed = [record(sid + 2, **fields, **bad)] if state in ("both", "failed") else []
            if good or failed:
                pushes.append(push(form(good + failed), sid, received_at=at + timedelta(seconds=3)))
    land(settings, pushes)
    if with_log:
        settings.sends.mkdir(parents=True)
        (settings.sends / "log.csv").write_text("sid,sent_at,mobile\n" + "\n".join(sends))
    run(settings)


@pytest.fixture(
    scope="module",
    params=[(("CN",), True), (tuple(MOBILES), True), (tuple(MOBILES), False)],
    ids=["one country", "three countries", "no send log"],
)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One state a day, published."""
    countries, with_log = request.param
    settings = settings_of(tmp_path_factory.mktemp("grid") / "data")
    fill(settings, countries, with_log=with_log)
    return settings


@pytest.fixture
def con(folder: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(folder, read_only=True) as opened:
        yield opened


def periods() -> Iterator[tuple[date, date]]:
    """Every day; some weeks; all of them; first and last day of each."""
    days = [START.date() + timedelta(days=day) for day in range(len(ORDER))]
    yield from zip(days, days, strict=True)
    yield from ((day, day + timedelta(days=4)) for day in days[:-4:6])
    yield date(2026, 3, 1), days[-1]


def test_the_order_has_every_pair_once() -> None:
    assert sorted(pairwise(ORDER)) == sorted(product(STATES, STATES))


def test_every_section_renders(con: duckdb.DuckDBPyConnection) -> None:
    sections = set()
    for days in periods():
        page = render(read_figures(con, *days)).replace(chart_library(), "")
        assert page.count('<article class="card') >= 5
        sections |= set(re.findall(r'<section class="panel" id="(\w+)"', page))
    assert sections >= {"delivery", "where", "failures", "latency", "feed", "unmapped"}


def test_every_chart_of_the_ui_renders(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = set()
    for first_day, last_day in periods():
        days = partial(set_period, first_day=first_day, last_day=last_day)
        monkeypatch.setattr(charts, "set_period", days)
        drawn |= {table for table in CHARTED if chart_of(con, f"marts.{table}")}
    assert drawn == set(CHARTED)


def test_a_country_of_last_week_with_only_a_waiting_send_this_week(tmp_path: Path) -> None:
    """What made every publication fail for good."""
    settings = settings_of(tmp_path / "data")
    days = {0: "+93703334567", 2: "15205201314", 8: "15205201314"}
    pushes = []
    for day, mobile in days.items():
        at = FIRST + timedelta(days=day)
        local = f"{at + timedelta(hours=8):%Y-%m-%d %H:%M:%S}"
        one = record(day, mobile=mobile, user_receive_time=local)
        pushes.append(push(form([one]), day, received_at=at + timedelta(seconds=3)))
    land(settings, [push(form([]), 99, received_at=FIRST - timedelta(days=9)), *pushes])
    settings.sends.mkdir(parents=True)
    sent_at = FIRST + timedelta(days=8, minutes=-5)
    (settings.sends / "log.csv").write_text(
        f"sid,sent_at,mobile\n77,{sent_at:%Y-%m-%dT%H:%M:%SZ},+93703334567\n"
    )
    done = run(settings)
    assert (done.published, done.report_problem) == (True, None)
    with duckdb.connect(analytics_path(settings), read_only=True) as con:
        models.define_functions(con)
        rows = {row["country_code"]: row for row in read_figures(con)["countries"]}
    assert rows["AF"]["rate_before"] == 1.0
    assert rows["AF"]["rate"] is None
