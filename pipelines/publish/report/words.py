"""Numbers, durations and times as people read them. Unknown is a dash, never 0."""

import re
from datetime import datetime

_BEFORE_UNIT = re.compile(r"(?<=[0-9]) (?=(?:%|s|min|h|d|M|bn)(?![a-z]))")
DASH = "–"
MINUS = "−"


def number(value: float | None) -> str:
    """A count: exact below a million, with two decimals above."""
    if value is None:
        return DASH
    for size, unit in ((1e9, "bn"), (1e6, "M")):
        if value >= size:
            return f"{value / size:.2f} {unit}"
    return exact(value)


def exact(value: float | None) -> str:
    """An exact count."""
    return DASH if value is None else f"{value:,.0f}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage; only exactly 0 or 1 is shown as 0 % or 100 %."""
    if share is None:
        return DASH
    text = f"{100 * share:.{digits}f}"
    least = 10.0**-digits
    if share > 0 and float(text) == 0:
        return f"<{least:.{digits}f} %"
    if share < 1 and float(text) == 100:
        return f">{100 - least:.{digits}f} %"
    return f"{text} %"


def points(now: float | None, before: float | None) -> str:
    """The difference of two shares in percentage points, signed."""
    if now is None or before is None:
        return DASH
    return f"{signed(100 * (now - before), 1)} points"


def signed(value: float, digits: int) -> str:
    """A number with its sign; 0 has ±."""
    text = f"{abs(value):,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        return f"±{text}"
    return f"{'+' if value > 0 else MINUS}{text}"


def seconds(value: float | None) -> str:
    """A duration in the largest unit that fits."""
    if value is None:
        return DASH
    sign, size = (MINUS, -value) if value < 0 else ("", value)
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if size >= length:
            return f"{sign}{size / length:.3g} {unit}"
    return f"{sign}{size:.3g} s"


def within(bound: float | str | None) -> str:
    """A percentile, known by the upper bound of its bucket."""
    if bound is None:
        return DASH
    return "over 1 h" if isinstance(bound, str) else f"≤ {seconds(bound)}"


def date_time(iso: str | None, style: str = "%d %b %Y, %H:%M") -> str:
    """A time of the figures as date and time."""
    if iso is None:
        return DASH
    return f"{datetime.fromisoformat(iso.removesuffix('Z')):{style}}".removeprefix("0")


def day(iso: str | None) -> str:
    """A date with its weekday."""
    if iso is None:
        return DASH
    date = datetime.fromisoformat(iso.removesuffix("Z"))
    return f"{date:%a} {date.day} {date:%b %Y}"


def label(slug: str | None) -> str:
    """A slug of the reference data as words."""
    return (slug or DASH).replace("_", " ")


def glue(text: str) -> str:
    """Text that never breaks between a number and its sign or unit."""
    return _BEFORE_UNIT.sub("\xa0", text).replace("≤ ", "≤\xa0")
