"""Times as whole microseconds since 1970, UTC: exact, and without the limits of ``datetime``."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# newer versions of Python read the hour 24, too
_RECEIVED_AT = re.compile(r"\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
_HANDSET_TIME = re.compile(r"[1-9]\d{3}-\d\d-\d\d (?!24)\d\d:\d\d:\d\d", re.ASCII)


def micros(time: datetime) -> int:
    """Return an aware time in microseconds; of a local time that comes twice the first."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def received_us(text: str) -> int:
    """Read the time of reception of an envelope; raises ValueError where it is not one."""
    if not _RECEIVED_AT.fullmatch(text):
        raise ValueError("not a time of reception")
    return micros(datetime.fromisoformat(text))


def handset_clock(zone_name: str) -> Callable[[str | None], int | None]:
    """Return what reads the provider's naive times; what is not in its one format is None."""
    zone = ZoneInfo(zone_name)

    # neighbouring reports share their seconds
    @lru_cache(maxsize=1 << 16)
    def handset_us(text: str | None) -> int | None:
        """Return a naive local time in microseconds since 1970, UTC."""
        if text is None or not _HANDSET_TIME.fullmatch(text):
            return None
        try:
            return micros(datetime.fromisoformat(text).replace(tzinfo=zone))
        except ValueError:
            return None

    return handset_us


def shown(us: object) -> str:
    """Return a time as people read it."""
    if not isinstance(us, int):
        return str(us)
    try:
        time = _EPOCH + timedelta(microseconds=us)
    except OverflowError:
        return f"{us} us"
    return time.replace(tzinfo=None).isoformat(" ", "microseconds")
