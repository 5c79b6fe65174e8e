"""The report in a real browser: from a file, without a network, small and large, light and dark."""

from collections.abc import Iterator
from itertools import pairwise, product
from pathlib import Path

import pytest

from pipelines.publish.report.store import report_path
from simulator.options import SimulationOptions
from simulator.simulate import iter_pushes
from tests.browser import Browser, browsing, why_no_browser
from tests.data_folder import FIRST, form, land, push, record, run, settings_of

NO_BROWSER = why_no_browser()
pytestmark = pytest.mark.skipif(NO_BROWSER is not None, reason=str(NO_BROWSER))

CHARTS = ("delivery", "failures", "latency", "distribution", "feed")
WIDTHS = (360, 768, 1600)
ATTACK = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>"


def published(folder: Path, name: str) -> None:
    """Make the report of nothing, of one message, of an attack or of days of traffic."""
    settings = settings_of(folder / f"data-{name}")
    if name == "traffic":
        options = SimulationOptions(messages=3_000, days=6, bad=0.01)
        pushes = enumerate(iter_pushes(options))
        land(settings, [push(one.body, n, received_at=one.at) for n, one in pushes])
    elif name != "nothing":
        failed = {"report_status": "FAIL", "error_msg": ATTACK, "error_detail": ATTACK}
        one = record(1, **(failed if name == "attack" else {}))
        land(settings, [push(form([one]), received_at=FIRST)])
    run(settings)
    (folder / f"{name}.html").write_bytes(report_path(settings).read_bytes())


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser that is offline, with the reports in the folder it looks at."""
    folder = tmp_path_factory.mktemp("report")
    for name in ("nothing", "one", "attack", "traffic"):
        published(folder, name)
    with browsing(f"file://{folder}/", folder / "profile") as browser:
        browser.cut_off()
        yield browser


def drawn(browser: Browser) -> bool:
    return bool(browser.ask("document.documentElement.dataset.drawn"))


@pytest.mark.parametrize(("name", "width"), [*product(("traffic", "one", "nothing"), WIDTHS)])
def test_it_fits_and_complains_of_nothing(browser: Browser, name: str, width: int) -> None:
    browser.look(width)
    browser.open(f"{name}.html")
    if name != "nothing":
        browser.wait(lambda: drawn(browser))
        assert drawn(browser)
    assert browser.complaints() == []
    root = "document.documentElement"
    assert browser.ask(f"{root}.scrollWidth") <= browser.ask(f"{root}.clientWidth")


@pytest.mark.parametrize("dark", [False, True])
def test_all_charts_are_drawn_in_the_colours_of_the_reader(browser: Browser, dark: bool) -> None:
    browser.look(1280, dark=dark)
    text = browser.open("traffic.html", "Delivery rate over time")
    browser.wait(lambda: drawn(browser))
    assert browser.ask("getComputedStyle(document.body).backgroundColor") == (
        "rgb(16, 21, 27)" if dark else "rgb(245, 246, 248)"
    )
    for name in CHARTS:
        shapes = f"document.querySelectorAll('#chart-{name} .trace path').length"
        assert browser.ask(shapes) > 0, name
    assert "Delivery rate of reported" in text
    assert browser.complaints() == []


def test_the_charts_follow_when_the_reader_turns_the_light_off(browser: Browser) -> None:
    browser.look(1280)
    browser.open("traffic.html")
    browser.wait(lambda: drawn(browser))
    light = browser.ask("document.documentElement.dataset.drawn")
    browser.look(1280, dark=True)
    browser.wait(lambda: browser.ask("document.documentElement.dataset.drawn") != light)
    assert browser.ask("document.documentElement.dataset.drawn") != light


def test_what_comes_from_outside_runs_nothing(browser: Browser) -> None:
    browser.look(1280)
    assert "window.pwned" in browser.open("attack.html", "window.pwned")
    browser.wait(lambda: drawn(browser))
    assert browser.ask("window.pwned === undefined") is True
    assert browser.complaints() == []


def test_tables_have_captions_and_charts_names(browser: Browser) -> None:
    browser.open("traffic.html")
    browser.wait(lambda: drawn(browser))
    tables = browser.ask("[...document.querySelectorAll('table')].map(t => t.caption?.textContent)")
    assert tables
    assert all(tables)
    named = "[...document.querySelectorAll('.chart')].map(c => c.getAttribute('aria-label'))"
    assert all(browser.ask(named))
    headings = browser.ask(
        "[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName.slice(1))"
    )
    assert headings[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(headings))
