"""Times as text, fast: the minute is formatted once and remembered, the rest is added."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache


@lru_cache(maxsize=1 << 15)
def _minute(epoch_minute: int, zone: tzinfo, separator: str) -> str:
    moment = datetime.fromtimestamp(epoch_minute * 60, zone)
    return moment.strftime(f"%Y-%m-%d{separator}%H:%M:")


def naive_text(epoch_s: int, zone: tzinfo) -> str:
    """Return whole seconds since 1970 as the provider writes them: zone's wall clock, no zone.

    Where a zone sets its clock back the hour occurs twice and the text does not tell which.
    """
    return f"{_minute(epoch_s // 60, zone, ' ')}{epoch_s % 60:02d}"


def utc_text(epoch_ms: int) -> str:
    """Return milliseconds since 1970 as ``2026-01-05T06:15:00.123Z``."""
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return f"{_minute(seconds // 60, UTC, 'T')}{seconds % 60:02d}.{milliseconds:03d}Z"
