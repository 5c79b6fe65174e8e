"""`dlr up`: receiver, UI and daemon in one terminal, and a real browser on the UI.

One evening with it is spent once (`evening`): start, push, wait for the run the sensor starts by
itself, look at the pages, Ctrl-C. The tests ask how it was, in any order.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import dagster as dg
import pytest
from selenium.webdriver.remote.webelement import WebElement

from tests.browser import Browser, browsing, why_no_browser
from tests.data_folder import ask, settings_of
from tests.live import ROOT, TOKEN, Answer, free_port, landed
from tests.live import ask as request
from tests.service.live_up import processes_on, running_up

NO_BROWSER = why_no_browser()
needs_browser = pytest.mark.skipif(NO_BROWSER is not None, reason=str(NO_BROWSER))

SAMPLE = (
    '[{"error_detail": "接收成功", "sid": 9527, "uid": "abc",'
    ' "user_receive_time": "2014-03-17 22:55:21", "error_msg": "DELIVRD",'
    ' "mobile": "15205201314", "report_status": "SUCCESS"},'
    ' {"error_detail": "接收成功", "sid": 9528, "uid": "123",'
    ' "user_receive_time": "2014-03-17 22:55:23", "error_msg": "DELIVRD",'
    ' "mobile": "+93703334567", "report_status": "SUCCESS"}]'
)
"""The records on the provider's own page."""

PREFIX = "/dagster"
"""The UI lies under a path here, as behind a proxy; other tests have it at the root."""
STATUS = dg.AssetKey(["core", "sms_status"])
ABOUT = "The status of each message, by its winning report."
"""The first line about that table."""
PATH = ("yunpian", "pushes", "sms_status", "delivery_hourly", "parquet", "analytics_duckdb")
"""Assets from the landed file to what readers open, in this order."""
AUTOMATION = ("landed_files_sensor", "hourly_refresh", "daily_housekeeping")
GROUPS = ("landing", "raw", "core", "marts", "exports")


@dataclass
class Evening:
    """What there was to see."""

    data: Path
    stdout: str = ""
    answers: list[Answer] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)
    """Command lines while it ran."""
    pages: dict[str, str] = field(default_factory=dict)
    """Visible text."""
    charts: list[int] = field(default_factory=list)
    """How wide the pictures on the page of a mart are."""
    places: dict[str, float] = field(default_factory=dict)
    """How far from the left groups and assets are drawn in the graph."""
    switches: dict[str, list[bool]] = field(
        default_factory=lambda: {name: [] for name in AUTOMATION}
    )
    """Of the sensor and each schedule whether its one switch is on."""
    exit_status: int | None = None
    stop_s: float = 0.0
    left_over: list[str] = field(default_factory=list)
    """Command lines after it ended."""


@contextmanager
def history_of(data: Path) -> Iterator[dg.DagsterInstance]:
    """Open the run history that lies in the data folder."""
    with dg.DagsterInstance.from_config(str(data / "dagster")) as instance:
        yield instance


def has_succeeded(data: Path, runs: int = 1) -> bool:
    """Whether so many refreshes have gone through, by the history."""
    done = dg.RunsFilter(job_name="refresh", statuses=[dg.DagsterRunStatus.SUCCESS])
    if not (data / "dagster" / "dagster.yaml").exists():
        return False
    with history_of(data) as history:
        return len(history.get_run_records(done)) >= runs


def push_samples(port: int) -> list[Answer]:
    """Send the sample records in the very form of the provider's page, and properly encoded."""
    kind = {"content-type": "application/x-www-form-urlencoded;charset=utf-8;"}
    bodies = [f"sms_status={SAMPLE}".encode(), urlencode({"sms_status": SAMPLE}).encode()]
    url = f"http://127.0.0.1:{port}"
    return [request(url, "POST", f"/yunpian/status/{TOKEN}", body, kind) for body in bodies]


def look_around(browser: Browser, evening: Evening, shots: Path) -> None:
    """Open the pages that matter and note what they show."""

    def visit(name: str, path: str, *awaited: str) -> None:
        evening.pages[name] = browser.open(path, *awaited)
        browser.screenshot(shots / f"{name}.png")

    visit("graph", "/asset-groups", *GROUPS)
    note_places(browser, evening, GROUPS)
    visit("lineage", "/assets/core/sms_status?view=lineage&lineageDepth=5", *PATH)
    note_places(browser, evening, PATH)
    # the page fills in as its parts arrive, the description late
    visit("asset", "/assets/core/sms_status", "Row count", "fingerprint", "Column name", ABOUT)
    visit("mart", "/assets/marts/push_health_hourly", "Row count", "chart")
    widths = "[...document.querySelectorAll('.dagster-markdown img')].map(one => one.naturalWidth)"
    browser.wait(lambda: any(browser.ask(widths)))
    evening.charts = browser.ask(widths)
    visit("runs", "/runs", "landed_files_sensor", "Success")
    visit("automation", "/automation", *evening.switches)
    browser.wait(lambda: all(len(switches_of(browser, name)) == 1 for name in evening.switches))
    browser.screenshot(shots / "automation.png")
    evening.switches |= {
        name: [switch.is_selected() for switch in switches_of(browser, name)]
        for name in evening.switches
    }


def switches_of(browser: Browser, name: str) -> list[WebElement]:
    """Return the switch of a sensor or schedule, as soon as the page has one."""
    row = f"//a[.//*[text()='{name}']]/.."
    return browser.find(f"{row}//label[contains(@class, 'formatSwitch')]/input")


def note_places(browser: Browser, evening: Evening, names: tuple[str, ...]) -> None:
    """Note where the graph draws these boxes."""
    for name in names:
        boxes = browser.find(
            f"//*[local-name()='foreignObject']//*[normalize-space(text())='{name}']"
        )
        if len(boxes) == 1:
            evening.places[name] = boxes[0].rect["x"]


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    """Spend one evening with `dlr up`."""
    folder = tmp_path_factory.mktemp("up")
    seen = Evening(folder / "data")
    with running_up(seen.data, DLR_UI_PATH_PREFIX=PREFIX) as up:
        up.until_it_says("Receiving at", 30)
        seen.answers = push_samples(up.port)  # long before Dagster is there
        up.until_it_says("Ctrl-C")
        up.until(lambda: has_succeeded(seen.data), 60, "run at the start")
        push_samples(up.port)
        up.until(lambda: has_succeeded(seen.data, runs=2), 120, "run by the sensor")
        if NO_BROWSER is None:
            with browsing(f"http://127.0.0.1:{up.ui_port}{PREFIX}", folder / "profile") as browser:
                look_around(browser, seen, folder)
        seen.processes = processes_on(seen.data)
        began = time.monotonic()
        seen.exit_status = up.stop()
        seen.stop_s = time.monotonic() - began
        seen.left_over = processes_on(seen.data)
        seen.stdout = up.said
    return seen


def test_it_says_where_everything_is(evening: Evening) -> None:
    lines = evening.stdout.splitlines()
    assert f"Data        {evening.data}" in lines
    [push_url] = [line.split()[-1] for line in lines if line.startswith("Push URL")]
    [ui] = [line.split()[-1] for line in lines if line.startswith("Dagster UI")]
    assert push_url.startswith("http://127.0.0.1:")
    assert push_url.endswith("/yunpian/status/<token>")
    assert ui.startswith("http://127.0.0.1:")
    assert ui.endswith(PREFIX)
    assert lines[-1] == "Stopped."
    assert TOKEN not in evening.stdout
    assert "Traceback" not in evening.stdout


def test_pushes_are_taken_before_dagster_is_there(evening: Evening) -> None:
    assert [(answer.status, answer.body) for answer in evening.answers] == [(200, b"SUCCESS")] * 2
    assert len(landed(evening.data)) == 4


def test_the_sensor_starts_the_run_by_itself(evening: Evening) -> None:
    rows = ask(
        settings_of(evening.data),
        "select sid, delivered, country_code, handset_time_utc::text "
        "from core.sms_status order by sid",
    )
    assert rows == [
        (9527, True, "CN", "2014-03-17 14:55:21"),
        (9528, True, "AF", "2014-03-17 14:55:23"),
    ]
    with history_of(evening.data) as history:
        newest = history.get_runs(dg.RunsFilter(job_name="refresh"))[0]
    assert newest.tags["dagster/sensor_name"] == "landed_files_sensor"
    assert newest.tags["dlr/reason"] in ("1 landed files", "2 landed files")


def test_ctrl_c_stops_everything(evening: Evening) -> None:
    for part in ("cli.up", "ingest.server", "pipelines.service.ui", "dagster._daemon"):
        assert any(part in line for line in evening.processes), part
    assert evening.exit_status == 0
    assert evening.left_over == []
    assert evening.stop_s < 20


def test_the_history_is_there_the_next_time(evening: Evening) -> None:
    with history_of(evening.data) as history:
        assert {one.status for one in history.get_runs()} == {dg.DagsterRunStatus.SUCCESS}
        materialised = history.get_latest_materialization_event(STATUS)
        assert materialised is not None
        assert materialised.asset_materialization is not None
        assert materialised.asset_materialization.metadata["dagster/row_count"].value == 2
        states = history.all_instigator_state()
        assert {state.status.value for state in states} == {"DECLARED_IN_CODE"}
        sensor = next(one for one in states if one.instigator_name == "landed_files_sensor")
        ticks = history.get_ticks(sensor.instigator_origin_id, sensor.selector_id)
        assert any(tick.run_ids for tick in ticks)


@needs_browser
def test_the_graph_shows_the_path_from_left_to_right(evening: Evening) -> None:
    for page, names in (("graph", GROUPS), ("lineage", PATH)):
        assert all(name in evening.pages[page] for name in names), evening.pages[page]
        places = [evening.places[name] for name in names]
        assert places == sorted(set(places)), evening.places


@needs_browser
def test_the_page_of_a_table_shows_its_rows_columns_and_ledger(evening: Evening) -> None:
    page = evening.pages["asset"]
    lines = page.splitlines()
    assert lines[lines.index("Row count") + 1] == "2"
    assert ABOUT in lines
    assert "Id of the message, given by the provider." in page
    assert "against 2 messages + 6 duplicates + 0 conflicts + 0 rejected" in page
    with history_of(evening.data) as history:
        latest = history.get_latest_materialization_event(STATUS)
    assert latest is not None
    assert latest.asset_materialization is not None
    assert str(latest.asset_materialization.metadata["fingerprint"].value) in page


@needs_browser
def test_sensor_and_schedules_are_listed_and_on(evening: Evening) -> None:
    page = evening.pages["automation"]
    assert all(name in page for name in AUTOMATION), page
    assert evening.switches == {name: [True] for name in AUTOMATION}


@needs_browser
def test_the_run_is_listed_as_started_by_the_sensor(evening: Evening) -> None:
    page = evening.pages["runs"]
    assert "refresh" in page
    assert "landed_files_sensor" in page
    assert "Success" in page


@contextmanager
def answering(port: int) -> Iterator[None]:
    """Some other program that says 200 to anything."""

    class Yes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Yes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


@pytest.mark.parametrize("part", ["port", "ui_port"])
def test_a_taken_port_is_one_sentence(part: str, tmp_path: Path) -> None:
    data, taken = tmp_path / "data", free_port()
    with answering(taken), running_up(data, **{part: taken}) as up:
        assert up.process.wait(30) == 1
        assert processes_on(data) == []
        said = up.said
    assert f"Cannot use port {taken} on 127.0.0.1" in said
    assert ("DLR_BIND" if part == "port" else "--ui-port") in said
    assert said.startswith("dlr: ")
    assert said.count("\n") == 1


def test_without_a_token_it_does_not_start(tmp_path: Path) -> None:
    failed = subprocess.run(
        [sys.executable, "-m", "cli.main", "up"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "DLR_DATA": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr == (
        "dlr: DLR_PUSH_TOKENS is not set; the receiver needs at least one token.\n"
    )
    assert not (tmp_path / "data").exists()


@needs_browser
def test_a_chart_stands_on_the_page_of_its_mart(evening: Evening) -> None:
    assert len(evening.charts) == 1
    assert evening.charts[0] > 300
