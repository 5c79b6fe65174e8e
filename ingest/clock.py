"""Times of pushes and files: each differs from every other that this process gives a name."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

STEP_US = 1_000_000
"""A clock that falls behind by more was set back."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Returns the time in microseconds since 1970, never the same twice under one name.

    It follows a clock that was set back. Because times then repeat, ``on_set_back`` is called
    first: it has to give the process a new name.
    """

    def __init__(self, on_set_back: Callable[[], None]) -> None:
        self._on_set_back = on_set_back
        self._last_us = 0

    def next_us(self) -> int:
        """Return a time that is later than the last one, unless the clock was set back."""
        now_us = time.time_ns() // 1000
        if now_us < self._last_us - STEP_US:
            self._on_set_back()
            self._last_us = now_us
        else:
            self._last_us = max(now_us, self._last_us + 1)
        return self._last_us


def moment_of(time_us: int) -> datetime:
    """Return microseconds since 1970 as a time in UTC."""
    return _EPOCH + timedelta(microseconds=time_us)
