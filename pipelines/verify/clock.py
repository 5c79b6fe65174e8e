"""Times as whole microseconds since 1970, UTC: exact, and without the limits of ``datetime``."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND_US = 1_000_000

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  naive times are subtracted from it
MICROSECOND = timedelta(microseconds=1)
_RECEIVED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
_HANDSET_TIME = re.compile(r"([1-9]\d{3})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)


def received_us(text: str) -> int | None:
    """Read the time of reception of an envelope; None where it is not one."""
    if not _RECEIVED_AT.fullmatch(text):
        return None
    head, _, fraction = text[:-1].partition(".")
    try:
        seconds = (datetime.fromisoformat(head) - EPOCH) // timedelta(seconds=1)
    except ValueError:
        return None
    return seconds * SECOND_US + int(fraction.ljust(6, "0"))


def handset_clock(zone_name: str) -> Callable[[str | None], int | None]:
    """Return what reads the provider's naive times; what is not in its one format is None.

    A local time that comes twice is the first of the two (PEP 495's fold 0).
    """
    zone = ZoneInfo(zone_name)

    # neighbouring reports share their seconds
    @lru_cache(maxsize=1 << 16)
    def handset_us(text: str | None) -> int | None:
        """Return a naive local time in microseconds since 1970, UTC."""
        match = _HANDSET_TIME.fullmatch(text or "")
        if not match:
            return None
        try:
            local = datetime(*map(int, match.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
        except ValueError:
            return None
        offset = local.replace(tzinfo=zone).utcoffset() or timedelta()
        # whole numbers: the last hours of the year 9999 have no datetime in UTC
        return (local - EPOCH) // MICROSECOND - offset // MICROSECOND

    return handset_us


def shown(us: object) -> str:
    """Return a time as people read it."""
    if not isinstance(us, int):
        return str(us)
    try:
        return (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=us)).strftime(
            "%Y-%m-%d %H:%M:%S.%f"
        )
    except OverflowError:
        return f"{us} us"
