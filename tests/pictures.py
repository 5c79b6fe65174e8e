"""The pictures of the README, made anew: `python -m tests.pictures`.

Three weeks of simulated traffic with its send log are taken in by the real job; then a real browser
looks at the report, the data dictionary and an asset's page in the Dagster UI.
Needs chromium and chromedriver; fonts-inter and fonts-wqy-microhei make the letters look as they do
here.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from simulator.options import SimulationOptions
from simulator.simulate import iter_pushes
from tests.browser import Browser, browsing, why_no_browser
from tests.command import ROOT, dlr, environment
from tests.data_folder import land, push, settings_of
from tests.live import free_port

PICTURES = ROOT / "docs" / "pictures"
TRAFFIC = SimulationOptions(
    messages=80_000, days=21, seed=3, start=datetime(2026, 11, 2, tzinfo=UTC), batch_wait_s=5.0
)
UNTIL = datetime(2026, 11, 22, 9, 40, tzinfo=UTC)
"""In the middle of a day's traffic, for that is when a report is looked at."""
SENT_UNTIL = f"{UNTIL:%Y-%m-%dT%H:%M}"
ASSET = "/assets/marts/delivery_hourly"


def main() -> int:
    """Make them all; exits 1 where there is no browser."""
    missing = why_no_browser()
    if missing:
        sys.stderr.write(f"Pictures are {missing}.\n")
        return 1
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        take_in(data)
        of_pages(data / "exports", Path(folder) / "profile")
        of_asset(data, Path(folder) / "profile of the UI")
    for path in sorted(PICTURES.glob("*.webp")):
        size = path.stat().st_size / 1000
        sys.stdout.write(f"{path.relative_to(ROOT)}  {size:.0f} kB\n")
    return 0


def take_in(data: Path) -> None:
    """Land the traffic and its send log, and run the job."""
    settings = settings_of(data)
    log = data / "sends" / "log.csv"
    log.parent.mkdir(parents=True)
    pushes = enumerate(iter_pushes(replace(TRAFFIC, sends=log)))
    land(settings, [push(one.body, n, received_at=one.at) for n, one in pushes if one.at < UNTIL])
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    sent = [line for line in lines if line.startswith("sid,") or line.split(",")[2] < SENT_UNTIL]
    log.write_text("".join(sent), encoding="utf-8")
    done = dlr(data, "run")
    if done.returncode:
        raise RuntimeError(done.stderr)


def of_pages(exports: Path, profile: Path) -> None:
    """Look at the report, light and dark, wide and narrow, and at the dictionary."""
    with browsing(f"file://{exports}/", profile) as browser:
        take(browser, "report.html", "report", 1200, 1500)
        take(browser, "report.html", "report-dark", 1200, 1500, dark=True)
        take(browser, "report.html", "report-narrow", 400, 1500)
        take(browser, "dictionary.html", "dictionary", 1200, 1000)


def take(
    browser: Browser, page: str, name: str, width: int, height: int, *, dark: bool = False
) -> None:
    """Make one picture of the top of a page."""
    browser.look(width, height, dark=dark)
    browser.open(page)
    if page == "report.html":
        browser.wait(lambda: bool(browser.ask("document.documentElement.dataset.drawn")))
    time.sleep(0.5)  # the browser paints after the page says it is done
    browser.screenshot(PICTURES / f"{name}.webp")


def of_asset(data: Path, profile: Path) -> None:
    """Look at an asset's page in the Dagster UI, where its chart stands."""
    with ui(data) as url, browsing(url, profile) as browser:
        browser.look(1700, 950)
        browser.open(ASSET, "Row count", "chart", within_s=60)
        chart = "document.querySelector('.dagster-markdown img')"
        browser.wait(lambda: bool(browser.ask(f"{chart}?.naturalWidth")))
        browser.ask(f"{chart}.scrollIntoView({{block: 'center'}})")
        time.sleep(1)
        browser.screenshot(PICTURES / "asset.webp")


@contextmanager
def ui(data: Path) -> Iterator[str]:
    """Run the Dagster UI on the data folder."""
    port = free_port()
    where = ["-m", "pipelines.definitions", "-h", "127.0.0.1", "-p", str(port)]
    with (data / "ui.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster_webserver", *where],
            env=environment(data, DAGSTER_HOME=str(data / "dagster")),
            cwd=data,
            stdout=log,
            stderr=log,
        )
    try:
        await_answer(f"http://127.0.0.1:{port}/server_info")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        shutil.rmtree(data / "dagster", ignore_errors=True)


def await_answer(url: str, within_s: float = 60) -> None:
    """Wait for a server to be there."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
        else:
            return


if __name__ == "__main__":
    sys.exit(main())
