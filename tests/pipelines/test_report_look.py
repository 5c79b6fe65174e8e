"""Report and dictionary can be read: paper is whole and light, all texts have enough contrast.

Paper is looked at while it is printed: the page measures itself when its media become print.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pipelines.publish.report.store import report_path
from pipelines.sends.files import bring_in
from tests.browser import Browser, browsing, why_no_browser
from tests.data_folder import form, land, push, record, run, settings_of
from tests.simulated import land_in_files, simulated

NO_BROWSER = why_no_browser()
pytestmark = pytest.mark.skipif(NO_BROWSER is not None, reason=str(NO_BROWSER))

CHARTS = ("delivery", "failures", "latency", "distribution", "feed")
PAPERS = {"A4": (210, 297), "A4 across": (297, 210), "letter": (215.9, 279.4)}
MARGIN_MM = 12
LEAST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3 (AA), for text of any size."""
MADE_UP = ("DB:0102", "CA:0051", "DB:0140", "DB:0103", "CB:0007", "MK:0021")
UNKNOWN = [f"ZZ:{n:04}" for n in range(14)]
LONG = "X" * 90


def published(folder: Path) -> None:
    """Two weeks with a send log, many unmapped codes, one of them long, made-up failures."""
    traffic = simulated(folder / "traffic", messages=4_000, days=14.4, seed=4, bad=0.01)
    settings = settings_of(folder / "data")
    land_in_files(settings, traffic.envelopes)
    at = traffic.envelopes[-1].received_at
    codes = [*MADE_UP * 12, *UNKNOWN, LONG, LONG]
    odd = [
        record(n + 1, report_status="FAIL", user_receive_time="", error_msg=code)
        for n, code in enumerate(codes)
    ]
    land(settings, [push(form(odd), 10**7, received_at=at)], "odd")
    assert bring_in(settings, traffic.log)
    run(settings)
    for page in ("report.html", "dictionary.html"):
        (folder / page).write_bytes((report_path(settings).parent / page).read_bytes())


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser without a network, with the report in the folder it looks at."""
    folder = tmp_path_factory.mktemp("look")
    published(folder)
    with browsing(f"file://{folder}/", folder / "profile") as browser:
        browser.cut_off()
        yield browser


def script(name: str) -> str:
    """What the page is asked, in JavaScript."""
    return Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8")


def open_report(browser: Browser, width: int, *, dark: bool) -> None:
    browser.look(width, dark=dark)
    browser.open("report.html")
    browser.wait(lambda: bool(browser.ask("document.documentElement.dataset.drawn")))


def printed(
    browser: Browser, width: int, paper: str, *, dark: bool
) -> tuple[dict[str, Any], bytes]:
    """What the page says of itself while it is printed, and the PDF."""
    open_report(browser, width, dark=dark)
    browser.run(script("printed"))
    pdf = browser.print(*PAPERS[paper])
    found: dict[str, Any] = browser.ask("window.printed")
    assert found, "the page never was on paper"
    return found, pdf


@pytest.mark.parametrize(
    ("width", "paper", "dark"),
    [
        (1600, "A4", False),
        (1600, "A4", True),
        (390, "A4", True),
        (1280, "A4 across", True),
        (800, "letter", False),
    ],
)
def test_paper_has_everything_and_is_light(
    browser: Browser, width: int, paper: str, dark: bool
) -> None:
    found, pdf = printed(browser, width, paper, dark=dark)
    # a browser shrinks a page that is wider than its paper: it would be wider here
    assert found["width"] == pytest.approx(96 * (PAPERS[paper][0] - 2 * MARGIN_MM) / 25.4, abs=1)
    assert found["cut"] == []
    assert found["outside"] == []
    assert set(found["charts"]) == {f"chart-{name}" for name in CHARTS}
    for name, chart in found["charts"].items():
        left, top, right, bottom = chart["box"]
        assert right - left > 640, name
        assert chart["panel"][0] < left
        assert right < chart["panel"][2]
        assert len(chart["shapes"]) > 10, name
        for shape in chart["shapes"]:
            assert left - 2 <= shape[0] <= shape[2] <= right + 2, name
            assert top - 2 <= shape[1] <= shape[3] <= bottom + 2, name
        assert set(chart["fills"]) <= {"rgb(82, 96, 111)", "rgb(23, 32, 44)"}, name
    assert found["background"] in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")
    assert found["ink"] == "rgb(23, 32, 44)"
    assert set(UNKNOWN) | {LONG} <= set(found["codes"])
    assert 5 <= pdf.count(b"/Type /Page\n") <= 11


def test_after_printing_the_screen_is_as_before(browser: Browser) -> None:
    def state() -> Any:
        return browser.ask(
            "[document.documentElement.className, document.documentElement.scrollHeight,"
            "document.querySelectorAll('details[open]').length,"
            "document.documentElement.dataset.drawn,"
            "[...document.querySelectorAll('.main-svg')].map(one => one.getAttribute('width'))]"
        )

    open_report(browser, 1280, dark=True)
    before = state()
    browser.print(*PAPERS["A4"])
    browser.wait(lambda: bool(state() == before))
    assert state() == before
    assert browser.complaints() == []


@pytest.mark.parametrize(("width", "dark"), [*product((390, 1280), (False, True))])
def test_every_text_has_enough_contrast(browser: Browser, width: int, dark: bool) -> None:
    open_report(browser, width, dark=dark)
    browser.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    awaited = ("Delivery rate of sent", "provisional", "balanced", "minutes only", "✓", LONG)
    assert_contrast(browser, *awaited)


@pytest.mark.parametrize("dark", [False, True])
def test_so_have_those_of_the_data_dictionary(browser: Browser, dark: bool) -> None:
    browser.look(1280, dark=dark)
    browser.open("dictionary.html")
    assert_contrast(browser, "Filter: a table", "phone numbers in it are struck out", "One row per")


def assert_contrast(browser: Browser, *awaited: str) -> None:
    found: list[tuple[float, str]] = browser.run(script("contrasts"))
    texts = " ".join(text for _, text in found)
    assert len(found) > 400
    assert [one for one in awaited if one not in texts] == []
    assert [one for one in sorted(found) if one[0] < LEAST_CONTRAST][:10] == []
