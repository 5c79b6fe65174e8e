"""What tests ask a receiver, and how they wait for it."""

import time
from collections.abc import Callable

from tests.live import Answer, Live, ask


def metric(live: Live, name: str) -> float:
    """Return a metric by its name and labels, as the page spells them."""
    page = ask(live.base_url, "GET", "/metrics").body.decode()
    (line,) = [line for line in page.splitlines() if line.startswith(name + " ")]
    return float(line.split()[-1])


def in_flight(live: Live) -> float:
    """Return the bytes being received or written."""
    return metric(live, "dlr_landing_bytes_in_flight")


def refused(answer: Answer, reason: str) -> bool:
    """Tell whether a push is to be pushed again, for this reason."""
    return (
        answer.status == 503
        and answer.headers["x-reject-reason"] == reason
        and "retry-after" in answer.headers
        and answer.body != b"SUCCESS"
    )


def until(condition: Callable[[], bool], timeout_s: float = 10) -> None:
    """Wait for a condition; fails after ``timeout_s``."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
