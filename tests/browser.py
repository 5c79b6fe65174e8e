"""A real browser for tests: Debian's chromium without a window, driven by its own driver."""

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

CHROMIUM = Path("/usr/bin/chromium")
DRIVER = Path("/usr/bin/chromedriver")
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # it runs as root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=2400,1600",
)


def why_no_browser() -> str | None:
    """Return why browser tests are left out on this machine; None where they are not."""
    missing = [str(path) for path in (CHROMIUM, DRIVER) if not path.exists()]
    if not missing:
        return None
    return (
        f"left out, for there is no browser: {' and '.join(missing)} missing "
        "(apt-get install chromium chromium-driver)"
    )


class Browser:
    """A window on one web site."""

    def __init__(self, driver: webdriver.Chrome, base_url: str) -> None:
        self._driver = driver
        self._base_url = base_url

    def open(self, path: str, *awaited: str, within_s: float = 15) -> str:
        """Open a page and return its visible text, once it shows all that is awaited."""
        self._driver.get(self._base_url + path)
        return self.await_text(*awaited, within_s=within_s)

    def await_text(self, *awaited: str, within_s: float = 15) -> str:
        """Return the visible text once it holds every awaited one, or when the time is over.

        What must be on a page is for the test to say.
        """
        self.wait(lambda: all(one in self.text() for one in awaited), within_s=within_s)
        return self.text()

    def wait(self, happened: Callable[[], bool], within_s: float = 15) -> None:
        """Give the page time to do something; what it did is for the test to say."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            with suppress(StaleElementReferenceException):  # drawn anew while we looked
                if happened():
                    return
            time.sleep(0.1)

    def text(self) -> str:
        """Return what is to be seen, as text."""
        return str(self._driver.execute_script("return document.body.innerText"))

    def find(self, xpath: str) -> list[WebElement]:
        """Return elements of the page."""
        return self._driver.find_elements(By.XPATH, xpath)

    def look(self, width: int, height: int = 900, *, dark: bool = False) -> None:
        """Be a screen of that size, of somebody who likes it light or dark."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self._driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def cut_off(self) -> None:
        """Be without a network from now on."""
        self._driver.execute_cdp_cmd("Network.enable", {})
        gone = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        self._driver.execute_cdp_cmd("Network.emulateNetworkConditions", gone)

    def ask(self, expression: str) -> Any:
        """Value of a JavaScript expression."""
        return self._driver.execute_script(f"return {expression}")

    def run(self, script: str) -> Any:
        """Run JavaScript; returns what it returns."""
        return self._driver.execute_script(script)

    def print(self, width_mm: float, height_mm: float) -> bytes:
        """Print to PDF on paper of that size, backgrounds as the page wants them."""
        paper = {"paperWidth": width_mm / 25.4, "paperHeight": height_mm / 25.4}
        done = self._driver.execute_cdp_cmd(
            "Page.printToPDF", {**paper, "preferCSSPageSize": False}
        )
        return base64.b64decode(done["data"])

    def complaints(self) -> list[str]:
        """Return what the page's console said since it was asked last."""
        return [f"{one['level']} {one['message']}" for one in self._driver.get_log("browser")]

    def screenshot(self, path: Path) -> None:
        """Keep what is to be seen, as PNG or, by the name of the file, as WebP."""
        form: dict[str, object] = {"format": path.suffix[1:]}
        if path.suffix == ".webp":
            form["quality"] = 90
        taken = self._driver.execute_cdp_cmd("Page.captureScreenshot", form)
        path.write_bytes(base64.b64decode(taken["data"]))


@contextmanager
def browsing(base_url: str, profile: Path, *more: str) -> Iterator[Browser]:
    """Open a browser with a fresh profile in that folder; close it in the end.

    ``more`` are options of its command line.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for option in (*_OPTIONS, *more, f"--user-data-dir={profile}"):
        options.add_argument(option)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    try:
        yield Browser(driver, base_url)
    finally:
        driver.quit()
