"""What verify's SQL calls: rates, percentiles and codes in Python of its own, for SQLite.

The same Python says what the functions of the published database must give.
"""

import json
import math
import re
import sqlite3
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

import duckdb

BOUNDS_S = (1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0, 3600.0, math.inf)
"""Upper bounds of the buckets of latency, themselves included."""
FUNCTIONS = Path(__file__).resolve().parents[2] / "warehouse" / "functions"

_Z = 1.959963984540054
_HOUR_US = 3_600_000_000
_MACRO = re.compile(r"^create or replace temp macro (\w+)", re.MULTILINE)
_BLANKS = "\t\n\v\f\r" + "".join(
    sign for sign in map(chr, range(0x10000)) if unicodedata.category(sign)[0] == "Z"
)
_COLON = re.compile(f"[{_BLANKS}]*:[{_BLANKS}]*")


def rate(part: float | None, whole: float | None) -> float | None:
    """Part of a whole; None where there is nothing to divide by."""
    return None if part is None or whole is None or whole <= 0 else part / whole


def wilson_low(part: float | None, whole: float | None) -> float | None:
    """Lower end of the 95 % interval of Wilson (1927) for ``part`` of ``whole``."""
    return _wilson(part, whole, -1)


def wilson_high(part: float | None, whole: float | None) -> float | None:
    """Upper end of the same interval."""
    return _wilson(part, whole, 1)


def _wilson(part: float | None, whole: float | None, sign: int) -> float | None:
    share = rate(part, whole)
    if share is None or whole is None:
        return None
    half = _Z * math.sqrt(share * (1 - share) / whole + _Z**2 / (4 * whole**2))
    end = (share + _Z**2 / (2 * whole) + sign * half) / (1 + _Z**2 / whole)
    return max(0.0, min(1.0, end))


def nearest_rank(n: float | None, share: float) -> float:
    """Rank of the value at or below which a share of ``n`` values lies; 1 is the least."""
    return 1.0 if n is None else max(1.0, float(math.ceil(round(share * n, 6))))


def percentile_of_buckets(buckets: Iterable[tuple[float, int]], share: float) -> float | None:
    """Upper bound in seconds of the bucket that holds a percentile; None without values."""
    counts = sorted(buckets)
    total, so_far = sum(n for _, n in counts), 0
    for bound, n in counts if total > 0 else ():
        so_far += n
        if so_far >= nearest_rank(total, share):
            return bound
    return None


def bucket(value_s: float | None) -> float | None:
    """Upper bound of the bucket a latency falls in."""
    return None if value_s is None else BOUNDS_S[bisect_left(BOUNDS_S, value_s)]


def is_blank(code: str | None) -> bool:
    """Whether a code says nothing."""
    return code is None or not code.strip(_BLANKS)


def code_key(code: str | None) -> str | None:
    """The normalised copy by which codes are told apart."""
    if code is None:
        return None
    return _COLON.sub(":", unicodedata.normalize("NFKC", code).strip(_BLANKS)).upper()


def regexp(pattern: str, text: str | None) -> bool:
    """SQLite's ``text regexp pattern``; digits and letters are those of ASCII."""
    return text is not None and re.search(pattern, text, re.ASCII) is not None


def hour_of(at_us: int | None) -> int | None:
    """Begin of the hour, in microseconds."""
    return None if at_us is None else at_us - at_us % _HOUR_US


class LatencyFigures:
    """Aggregate of seconds: JSON with n, negative, p50, p90, p95, p99, max; null without any."""

    def __init__(self) -> None:
        self._values: list[float] = []

    def step(self, value_s: float | None) -> None:
        """Take a value; null is none."""
        if value_s is not None:
            self._values.append(value_s)

    def finalize(self) -> str | None:
        """Interpolate between neighbours (type 7 of Hyndman and Fan)."""
        values = sorted(self._values)
        if not values:
            return None
        # before Python 3.13 one value has no quantiles
        cuts = quantiles(values if len(values) > 1 else values * 2, n=100, method="inclusive")
        figures = {f"p{percent}": cuts[percent - 1] for percent in (50, 90, 95, 99)}
        counts = {"n": len(values), "negative": bisect_left(values, 0.0), "max": values[-1]}
        return json.dumps(counts | figures)


class BucketPercentile:
    """Aggregate ``percentile_of_buckets(upper_bound_s, n, share)``."""

    def __init__(self) -> None:
        self._buckets: list[tuple[float, int]] = []
        self._share = 0.0

    def step(self, bound_s: float, n: int, share: float) -> None:
        """Take the count of a bucket."""
        self._buckets.append((bound_s, n))
        self._share = share

    def finalize(self) -> float | None:
        """Say in which bucket the percentile lies."""
        return percentile_of_buckets(self._buckets, self._share)


def register(con: sqlite3.Connection) -> None:
    """Let a connection call what the SQL below ``expected`` needs."""
    for of_one in (bucket, is_blank, code_key, hour_of):
        con.create_function(of_one.__name__, 1, of_one, deterministic=True)
    for of_two in (rate, wilson_low, wilson_high, regexp):
        con.create_function(of_two.__name__, 2, of_two, deterministic=True)
    # typeshed's protocol knows no null and no aggregate of several types
    con.create_aggregate("latency_figures", 1, LatencyFigures)  # type: ignore[arg-type]
    con.create_aggregate("percentile_of_buckets", 3, BucketPercentile)  # type: ignore[arg-type]


_COUNTS = (0, 1, 2, 9, 10, 1000, 10**12)
_WHOLES = (None, -1, *_COUNTS, math.inf)
_SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.95, 0.99, 1.0)
_PARTS = [(a, b) for b in _WHOLES for a in (None, *_COUNTS) if None in (a, b) or a <= b or b <= 0]  # type: ignore[operator]
_TABLES = (
    tuple((bound, 1) for bound in BOUNDS_S),
    ((1.0, 1), (1.0, 1), (3.0, 9), (600.0, 1), (math.inf, 0)),
    ((1.0, 0),),
)
_GRIDS: dict[str, tuple[Callable[..., float | None], list[tuple[Any, Any]]]] = {
    "rate": (rate, _PARTS),
    "wilson_low": (wilson_low, _PARTS),
    "wilson_high": (wilson_high, _PARTS),
    "nearest_rank": (nearest_rank, [(n, share) for n in (None, *_COUNTS) for share in _SHARES]),
    "percentile_of_buckets": (
        percentile_of_buckets,
        [(table, share) for table in _TABLES for share in _SHARES],
    ),
}
VERIFIED = frozenset(_GRIDS)
"""Published functions that are compared; those of a user's own are not."""
_CALL = """
    select {name}(a, b)
    from (select unnest($a::bigint[]) as a, unnest($b::double[]) as b)
"""
_CALL_WITH_TABLES = """
    select {name}(bucket[1], bucket[2]::bigint, share)
    from (
        select unnest(range(len($b))) as number, unnest($a::double[][][]) as buckets,
            unnest($b::double[]) as share
    ), lateral (select unnest(buckets) as bucket)
    group by number, share
    order by number
"""


def published_functions() -> set[str]:
    """Names that the headers of ``warehouse/functions`` promise to readers."""
    texts = (path.read_text(encoding="utf-8") for path in FUNCTIONS.glob("*.sql"))
    return {name for text in texts if "\npublished:" in text for name in _MACRO.findall(text)}


def compare_functions(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Compare the functions of a published database with Python's; yield what differs."""
    query = "select distinct function_name from duckdb_functions() where not internal"
    promised, there = published_functions(), {row[0] for row in con.execute(query).fetchall()}
    for name in sorted(promised ^ there):
        fault = "is missing" if name in promised else "is in no file of warehouse/functions"
        yield f"the function {name}() {fault}."
    for name in sorted(promised & there & VERIFIED):
        function, grid = _GRIDS[name]
        query = _CALL_WITH_TABLES if function is percentile_of_buckets else _CALL
        left, right = zip(*grid, strict=True)
        try:
            calls = con.execute(query.format(name=name), {"a": left, "b": right})
            values = [row[0] for row in calls.fetchall()]
        except duckdb.Error as error:
            yield f"the function {name}() cannot be called ({type(error).__name__})."
            continue
        for (a, b), value in zip(grid, values, strict=True):
            expected = function(a, b)
            if not is_close(value, expected):
                yield f"the function {name}() gives {value} for {a}, {b}, expected {expected}."
                break


def is_close(value: object, expected: object) -> bool:
    """Equal, or numbers whose last digits differ by the order of adding."""
    if isinstance(value, float) and isinstance(expected, float | int):
        return math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-12)
    return value == expected
