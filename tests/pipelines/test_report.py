"""The report says what the tables say, in a file that needs nothing and lets nothing in."""

import json
import re
import stat
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import duckdb
import pyarrow.parquet as pq
import pytest

from contract.settings import Settings
from pipelines import models
from pipelines.folder.show import analytics_path, manifest_path
from pipelines.publish.pages import templates
from pipelines.publish.report import words
from pipelines.publish.report.charts import chart_of
from pipelines.publish.report.figures import PeriodError, Row, read_figures, set_period
from pipelines.publish.report.page import chart_library, render
from pipelines.publish.report.store import report_path
from pipelines.publish.report.svg import SHOWN_BELOW
from simulator.options import SimulationOptions
from simulator.simulate import iter_pushes
from tests.command import dlr
from tests.data_folder import FIRST, form, land, push, record, run, settings_of

ATTACK = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>"
CHARTED = ("delivery_hourly", "latency_hourly", "failures_daily", "push_health_hourly")


class Page(HTMLParser):
    """What a browser would make of a page: elements, what is loaded, texts of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.loaded: list[str] = []
        self.scripts: list[str] = []
        self.policy = ""
        self.text = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.elements[tag] += 1
        self._inside = tag
        self.loaded += [str(value) for name, value in attrs if name in ("src", "href", "srcset")]
        assert not [name for name in named if name.startswith("on")]
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(named["content"])
        if tag == "script" and "type" not in named:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            if self.scripts:
                self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data + " "


def figures_in(path: Path) -> dict[str, Any]:
    """The numbers a report carries."""
    page = path.read_text(encoding="utf-8")
    [text] = re.findall(r'<script type="application/json" id="figures">(.*?)</script>', page)
    found: dict[str, Any] = json.loads(text)
    return found


def reported(
    sid: int, at: datetime, failed: str | None = None, **fields: object
) -> dict[str, object]:
    """A record of an event at ``at``, in the provider's own time."""
    local = (at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    if failed:
        fields = {"report_status": "FAIL", "error_msg": failed, "error_detail": "空号"} | fields
    return record(sid, user_receive_time=local, **fields)


def land_events(settings: Settings, records: Iterable[tuple[datetime, dict[str, object]]]) -> None:
    """Land each record in a push of its own, received three seconds after the event."""
    pushes = [
        push(form([one]), n, received_at=at + timedelta(seconds=3))
        for n, (at, one) in enumerate(records)
    ]
    land(settings, pushes)


@pytest.fixture
def two_weeks(settings: Settings) -> Settings:
    """A week of 10 messages a day, 1 failed; then a week of 20 a day, 4 failed."""
    events = []
    for day in range(14):
        most, failed = (10, 1) if day < 7 else (20, 4)
        for n in range(most):
            at = FIRST - timedelta(hours=8) + timedelta(days=day, hours=n % 10)
            code = "MK:0001" if n < failed else None
            events.append((at, reported(1000 * day + n, at, code)))
    land_events(settings, events)
    run(settings)
    return settings


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Three days of simulated traffic, published."""
    settings = settings_of(tmp_path_factory.mktemp("report") / "data")
    options = SimulationOptions(messages=4_000, days=3, bad=0.01, batch_wait_s=5.0)
    land(
        settings,
        [push(one.body, n, received_at=one.at) for n, one in enumerate(iter_pushes(options))],
    )
    run(settings)
    return settings


def test_the_headline_and_its_change(two_weeks: Settings) -> None:
    figures = figures_in(report_path(two_weeks))
    assert (figures["period"]["first_day"], figures["period"]["last_day"]) == (
        "2026-03-09",
        "2026-03-15",
    )
    assert figures["comparable"] is True
    now, before = figures["headline"]["now"], figures["headline"]["before"]
    assert (now["reports"], now["delivered"], now["failed"]) == (140, 112, 28)
    assert (before["reports"], before["delivered"], before["failed"]) == (70, 63, 7)
    assert now["reported_delivery_rate"] == pytest.approx(0.8)
    text = Page(report_path(two_weeks).read_text(encoding="utf-8")).text
    assert "+100.0\xa0%" in text
    assert f"{words.MINUS}10.0 points" in text
    assert now["sent"] is None
    assert "There is no send log" in text


def test_with_a_send_log_there_are_rates_of_what_was_sent(settings: Settings) -> None:
    land_events(
        settings,
        [(FIRST, reported(1, FIRST)), (FIRST, reported(2, FIRST, "MK:0001"))],
    )
    settings.sends.mkdir(parents=True)
    rows = [f"{sid},{FIRST - timedelta(seconds=2):%Y-%m-%dT%H:%M:%SZ}\n" for sid in (1, 2, 3, 4)]
    (settings.sends / "log.csv").write_text("sid,sent_at\n" + "".join(rows))
    run(settings)
    now = figures_in(report_path(settings))["headline"]["now"]
    counts = ("sent", "sent_reported", "sent_delivered", "pending", "unknown", "could_arrive")
    assert [now[name] for name in counts] == [4, 2, 1, 2, 0, 1]
    assert (now["delivery_rate"], now["receipt_rate"], now["effective_rate"]) == (0.25, 0.5, 1.0)
    text = Page(report_path(settings).read_text(encoding="utf-8")).text
    assert "Delivery rate of sent" in text
    assert "2 pending, 0 never reported" in text
    assert "There is no send log" not in text


def test_without_earlier_days_nothing_is_compared(settings: Settings) -> None:
    at = FIRST
    land_events(settings, [(at, reported(1, at))])
    run(settings)
    figures = figures_in(report_path(settings))
    assert figures["comparable"] is False
    assert figures["period"]["first_day"] == figures["period"]["last_day"] == "2026-03-02"
    page = Page(report_path(settings).read_text(encoding="utf-8"))
    assert "No comparison" in page.text


def period_of(first_day: date, last_day: date, seen: datetime) -> Row | None:
    """The period of a report over these days where the latest push was received at ``seen``."""
    with duckdb.connect() as con:
        con.execute("create schema marts")
        con.execute("create table marts.as_of as select ?::timestamp as as_of_utc", [seen])
        con.execute("create table marts.delivery_hourly (hour_utc timestamp)")
        con.execute("create table marts.delivery_daily (day_utc date)")
        return set_period(con, first_day, last_day)


def test_a_day_that_is_not_over_is_compared_with_as_much_of_the_other() -> None:
    period = period_of(date(2026, 3, 9), date(2026, 3, 15), datetime(2026, 3, 15, 9, 30))
    assert period is not None
    assert period["shown_to_utc"] == datetime(2026, 3, 15, 10)
    assert period["before_from_utc"] == datetime(2026, 3, 2)
    assert period["before_to_utc"] == datetime(2026, 3, 8, 10)


@pytest.mark.parametrize("days", [1, 2, 3, 4, 7, 14, 15, 60, 120, 121, 366, 3 * 366])
def test_a_chart_never_has_many_steps(days: int) -> None:
    first = date(2023, 1, 1)
    period = period_of(first, first + timedelta(days=days - 1), datetime(2030, 1, 1))
    assert period is not None
    assert period["days"] == days
    assert 6 <= 24 * days / period["step_hours"] <= 160


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(PeriodError, match="ends"):
        period_of(date(2026, 3, 2), date(2026, 3, 1), datetime(2026, 3, 2))


def rows_of(settings: Settings) -> list[dict[str, Any]]:
    """All messages, as another reader of the Parquet files sees them."""
    folder = manifest_path(settings).parent
    files = json.loads(manifest_path(settings).read_text())["files"]
    return [
        row
        for one in files
        if one["table"] == "core.sms_status"
        for row in pq.ParquetFile(folder / one["path"]).read().to_pylist()
    ]


def test_the_figures_are_those_of_the_messages(traffic: Settings) -> None:
    figures = figures_in(report_path(traffic))
    period = figures["period"]
    inside = [
        row
        for row in rows_of(traffic)
        if period["from_utc"] <= f"{row['event_time_utc'].isoformat()}Z" < period["to_utc"]
    ]
    now = figures["headline"]["now"]
    assert now["reports"] == len(inside) > 2_000
    assert now["delivered"] == sum(row["delivered"] for row in inside)
    by_operator = Counter((row["country_code"], row["range_operator"]) for row in inside)
    assert by_operator == {
        (row["country_code"], row["range_operator"]): row["reports"] for row in figures["operators"]
    }
    assert {row["country_code"]: row["delivered"] for row in figures["countries"]} == Counter(
        row["country_code"] for row in inside if row["delivered"]
    )
    failed = [row for row in inside if not row["delivered"]]
    assert {row["category"]: row["failures"] for row in figures["causes"]} == Counter(
        row["error_category"] for row in failed
    )
    by_code = Counter(row["error_code"] for row in failed)
    for row in figures["codes"]:
        assert row["failures"] <= by_code[row["code"]]
    assert figures["codes"][0]["failures"] == max(by_code.values())
    assert_steps_are(figures["delivery"], inside)
    assert_latency_is(figures, [row["report_lag_s"] for row in inside if row["delivered"]])


def assert_steps_are(steps: list[dict[str, Any]], inside: list[dict[str, Any]]) -> None:
    hours = Counter(row["event_time_utc"].hour // 6 for row in inside)
    found: Counter[int] = Counter()
    for row in steps:
        found[datetime.fromisoformat(row["at_utc"]).hour // 6] += row["reports"]
    assert found == hours
    days = Counter(row["event_time_utc"].date().isoformat() for row in inside)
    by_day: Counter[str] = Counter()
    for row in steps:
        by_day[row["at_utc"][:10]] += row["reports"]
    assert by_day == days
    assert all((row["rate"] is None) == (row["reports"] == 0) for row in steps)
    assert all(row["low"] <= row["rate"] <= row["high"] for row in steps if row["reports"])


def assert_latency_is(figures: dict[str, Any], lags: list[float | None]) -> None:
    known = sorted(lag for lag in lags if lag is not None)
    [row] = [row for row in figures["latency_headline"] if row["period"] == "now"]
    assert row["n"] == len(known)
    bounds = [1, 2, 3, 5, 10, 30, 60, 180, 600, 3600, float("inf")]
    for name, share in (("p50_s", 0.5), ("p95_s", 0.95), ("p99_s", 0.99)):
        exact = known[max(0, -(-int(1000 * share * len(known)) // 1000) - 1)]
        assert float(row[name]) == min(bound for bound in bounds if exact <= bound)
    buckets = {float(row["upper_bound_s"]): row["n"] for row in figures["distribution"]}
    assert buckets == Counter(min(b for b in bounds if lag <= b) for lag in known)


def test_the_same_figures_from_the_published_database(traffic: Settings) -> None:
    with duckdb.connect(analytics_path(traffic), read_only=True) as con:
        models.define_functions(con)
        assert read_figures(con) == figures_in(report_path(traffic))


def test_the_command_takes_days(two_weeks: Settings, tmp_path: Path) -> None:
    output = tmp_path / "two days.html"
    days = ("--from", "2026-03-02", "--to", "2026-03-03")
    done = dlr(two_weeks.data, "report", *days, "--output", str(output))
    assert done.returncode == 0, done.stderr
    assert "20 messages reported from 2026-03-02 to 2026-03-03" in done.stdout
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    figures = figures_in(output)
    assert figures["headline"]["now"]["reports"] == 20
    assert figures["period"]["step_hours"] == 1
    wrong = dlr(two_weeks.data, "report", "--from", "2026-03-05", "--to", "2026-03-03")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("dlr: The period ends")


def test_the_command_before_anything_is_published(tmp_path: Path) -> None:
    done = dlr(tmp_path / "data", "report")
    assert done.returncode == 1
    assert "Nothing is published yet" in done.stderr


def test_an_empty_warehouse_has_a_report_that_says_so(settings: Settings) -> None:
    run(settings)
    page = Page(report_path(settings).read_text(encoding="utf-8"))
    assert "Nothing received yet" in page.text
    assert page.scripts == []
    assert figures_in(report_path(settings))["period"] is None


def test_messages_of_other_days_are_pointed_at(settings: Settings) -> None:
    land(settings, [push(form([record(1, user_receive_time="2014-03-17 22:55:21")]))])
    run(settings)
    text = Page(report_path(settings).read_text(encoding="utf-8")).text
    assert "No messages were reported in this period" in text
    assert "dlr report --from 2014-03-17 --to 2014-03-17" in text


def test_it_is_published_with_each_run_that_brings_something(settings: Settings) -> None:
    land_events(settings, [(FIRST, reported(1, FIRST))])
    run(settings)
    path = report_path(settings)
    first = path.read_bytes()
    entry = json.loads(manifest_path(settings).read_text())["report"]
    assert entry == {
        "path": "report.html",
        "bytes": len(first),
        "sha256": sha256(first).hexdigest(),
        "as_of_utc": "2026-03-02T08:00:03",
        "problem": None,
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.stat()
    assert not run(settings).published
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    land(settings, [push(form([reported(2, FIRST)]), 7)], "b")
    run(settings)
    assert figures_in(path)["headline"]["now"]["reports"] == 2


@pytest.fixture
def attacked(settings: Settings) -> Settings:
    """Texts from outside that try to become part of the page, or tell a number."""
    details = [ATTACK, '"><b id=pwned>', "{{ 7 * 7 }} \u2028 &amp;", "15205201314 called"]
    records = [
        reported(n, FIRST, detail if n < 3 else "X:1", error_detail=detail)
        for n, detail in enumerate(details)
    ]
    land_events(settings, [(FIRST, one) for one in records])
    run(settings)
    return settings


def test_texts_from_outside_stay_texts(attacked: Settings) -> None:
    page = Page(report_path(attacked).read_text(encoding="utf-8"))
    assert page.elements["script"] == 3
    assert page.elements["img"] == 0
    assert page.elements["b"] == 0
    assert ATTACK in page.text
    assert "{{ 7 * 7 }}" in page.text
    whole = report_path(attacked).read_text(encoding="utf-8").replace(chart_library(), "")
    assert "15205201314" not in whole
    assert "window.pwned" in str(figures_in(report_path(attacked)))


def test_data_cannot_end_its_element() -> None:
    figures = {"text": "</script><!-- \u2028\u2029 & <b>"}
    text = templates(Path()).from_string("{{ figures | tojson }}").render(figures=figures)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == figures


def test_nothing_is_loaded_and_only_its_own_scripts_run(traffic: Settings) -> None:
    page = Page(report_path(traffic).read_text(encoding="utf-8"))
    assert [one for one in page.loaded if not one.startswith("#")] == []
    assert page.policy.startswith("default-src 'none'; script-src 'sha256-")
    digests = [b64encode(sha256(text.encode()).digest()).decode() for text in page.scripts]
    assert len(digests) == 2
    assert [f"'sha256-{one}'" in page.policy for one in digests] == [True, True]
    assert "unsafe-eval" not in page.policy
    assert "script-src 'unsafe-inline'" not in page.policy
    assert "</script" not in chart_library()


def test_much_data_does_not_make_a_large_page(settings: Settings) -> None:
    codes = [(FIRST, reported(n, FIRST, f"ZZ:{n:04}")) for n in range(300)]
    land_events(settings, codes)
    run(settings)
    page = report_path(settings).read_text(encoding="utf-8")
    assert len(page) - len(chart_library()) < 120_000
    figures = figures_in(report_path(settings))
    assert len(figures["unmapped"]) == 50
    assert figures["coverage"] == [{"with_code": 300, "unmapped": 300, "unmapped_share": 1.0}]


def test_made_up_failures_are_pointed_at(settings: Settings) -> None:
    codes = ("DB:0102", "CA:0051", "DB:0140", "DB:0103", "CB:0007", "MK:0021")
    land_events(settings, [(FIRST, reported(n, FIRST, codes[n % 6])) for n in range(120)])
    run(settings)
    assert [row["failures"] for row in figures_in(report_path(settings))["suspicious"]] == [120]
    assert "look fabricated" in Page(report_path(settings).read_text(encoding="utf-8")).text


@pytest.mark.parametrize("table", CHARTED)
def test_charts_of_the_ui_are_small_enough_to_be_shown(traffic: Settings, table: str) -> None:
    with duckdb.connect(analytics_path(traffic), read_only=True) as con:
        models.define_functions(con)
        chart = chart_of(con, f"marts.{table}")
        assert chart is not None
        assert len(chart) < SHOWN_BELOW
        [url] = re.findall(r"^!\[[^]]+\]\(<data:image/svg\+xml,([^<>]+)>\)$", chart)
        picture = ET.fromstring(unquote(url))
        assert len(picture.findall(".//{*}path")) > 1
        assert chart_of(con, "marts.unmapped_errors") is None


def test_an_empty_warehouse_has_no_charts(settings: Settings) -> None:
    run(settings)
    with duckdb.connect(analytics_path(settings), read_only=True) as con:
        models.define_functions(con)
        assert set_period(con) is None
        assert [chart_of(con, f"marts.{table}") for table in CHARTED] == [None] * 4
        assert "Nothing received yet" in render(read_figures(con))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (words.number(None), "–"),
        (words.number(0), "0"),
        (words.number(999_999), "999,999"),
        (words.number(1_234_567), "1.23 M"),
        (words.percent(None), "–"),
        (words.percent(0.0), "0.0 %"),
        (words.percent(0.99999), ">99.9 %"),
        (words.percent(0.00001), "<0.1 %"),
        (words.percent(1.0), "100.0 %"),
        (words.points(0.9, 0.95), "−5.0 points"),
        (words.points(0.9, 0.9), "±0.0 points"),
        (words.points(None, 0.9), "–"),
        (words.points(0.9, None), "–"),
        (words.seconds(None), "–"),
        (words.seconds(90), "1.5 min"),
        (words.seconds(-2), "−2 s"),
        (words.within("inf"), "over 1 h"),
        (words.within(180.0), "≤ 3 min"),
        (words.day("2026-03-02"), "Mon 2 Mar 2026"),
        (words.glue("99 % ≤ 1 h, 10 sent"), "99\xa0% ≤\xa01\xa0h, 10 sent"),
        (words.date_time("2026-03-02T08:05:00Z"), "2 Mar 2026, 08:05"),
    ],
)
def test_numbers_are_written_for_people(written: str, expected: str) -> None:
    assert written == expected
