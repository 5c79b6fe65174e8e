"""Whether the marts say what follows from the messages and the send log."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.verify import causes, rates
from pipelines.verify.clock import shown
from pipelines.verify.content import Content
from pipelines.verify.findings import Findings
from pipelines.verify.latency import LatencyBucket, settled_after
from pipelines.verify.rates import Moment
from pipelines.verify.spill import Row, Spill

_CLOSE = 1e-9
_KEYS = {
    "marts.delivery_hourly": 4,
    "marts.delivery_daily": 4,
    "marts.failures_daily": 8,
    "marts.latency_hourly": 4,
    "marts.latency_buckets_hourly": 5,
    "marts.code_coverage_daily": 3,
    "marts.suspicious_codes_daily": 3,
}
"""How many columns of each mart tell a row from the others."""

Expected = Mapping[tuple[Any, ...], list[Any]]


def compare_marts(
    spills: dict[str, Spill],
    buckets: int,
    content: Content,
    as_of_us: int | None,
    findings: Findings,
) -> None:
    """Compare every mart with the tally of what it is computed from."""
    latency: dict[tuple[Any, ...], list[Any]] = {}
    bounds: Counter[tuple[Any, ...]] = Counter()
    for number in range(buckets):
        bucket = LatencyBucket(spills["latencies"].rows(number), content.delivered)
        latency |= dict(bucket.hourly())
        bounds += bucket.buckets()
    moment = Moment(as_of_us, settled_after(bounds))
    expected: dict[str, Expected] = {
        "marts.delivery_hourly": rates.hourly(content.hours, moment),
        "marts.delivery_daily": rates.daily(content.hours, moment),
        "marts.failures_daily": {place: [n] for place, n in content.failures.items()},
        "marts.latency_hourly": latency,
        "marts.latency_buckets_hourly": {place: [n] for place, n in bounds.items()},
        "marts.code_coverage_daily": causes.coverage(content.failures),
        "marts.suspicious_codes_daily": causes.made_up(content.failures),
    }
    for name, rows in expected.items():
        _compare(name, spills[name].rows(0), rows, findings)
    _compare_moment(list(spills["marts.as_of"].rows(0)), moment, findings)


def _compare_moment(rows: list[Row], moment: Moment, findings: Findings) -> None:
    expected = (
        moment.as_of_us,
        moment.settled_after_s,
        moment.final_until_us,
        moment.unknown_until_us,
    )
    stand = [row[1:] for row in rows]
    # before the first run there is nothing to speak of
    if stand != [expected] and (stand or moment.as_of_us is not None):
        findings.add("marts.as_of", f"rows are {stand}, expected {[expected]}.")


def _compare(name: str, rows: Iterable[Row], expected: Expected, findings: Findings) -> None:
    """Take each row's figures out of what is expected; what is left has no row."""
    left = dict(expected)
    for _, *row in rows:
        place, figures = tuple(row[: _KEYS[name]]), row[_KEYS[name] :]
        tally = left.pop(place, None)
        if tally is None:
            findings.add(name, f"{_where(place)} stands there once too often.", "extra")
        elif not all(map(_agree, figures, tally)):
            findings.add(
                name, f"{_where(place)}: counts are {figures}, expected {tally}.", "differs"
            )
    for place, tally in left.items():
        findings.add(name, f"{_where(place)} has no row, expected {tally}.", "missing")


def _agree(found: Any, expected: Any) -> bool:  # noqa: ANN401  any column
    """Counts to the digit; of floats the last digits depend on the order of adding."""
    if isinstance(found, float) and isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=_CLOSE, abs_tol=_CLOSE)
    return bool(found == expected)


def _where(place: tuple[Any, ...]) -> str:
    """Hour or day, country and operator; what follows may hold free text."""
    at, country, operator, *_ = place
    return f"{shown(at)[:16]}, {country or 'no country'}, {operator or 'no operator'}"
