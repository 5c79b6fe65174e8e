"""Whether the counts of the marts are those of ``core.sms_status``."""

from collections.abc import Iterable
from typing import Any

from pipelines.verify.clock import shown
from pipelines.verify.content import Content
from pipelines.verify.findings import Findings
from pipelines.verify.spill import Row, Spill

_HOURLY_KEY, _DAILY_KEY = 4, 8


def compare_marts(spills: dict[str, Spill], content: Content, findings: Findings) -> None:
    """Compare both marts with the tally of the rows they are computed from."""
    name = "marts.delivery_hourly"
    _compare(name, spills[name].rows(0), _HOURLY_KEY, dict(content.hours), findings)
    failures = {place: [count] for place, count in content.failures.items()}
    name = "marts.failures_daily"
    _compare(name, spills[name].rows(0), _DAILY_KEY, failures, findings)


def _compare(
    name: str,
    rows: Iterable[Row],
    key_columns: int,
    expected: dict[tuple[Any, ...], list[int]],
    findings: Findings,
) -> None:
    """Take each row's counts out of what is expected; what is left has no row."""
    for _, *row in rows:
        place, counts = tuple(row[:key_columns]), row[key_columns:]
        tally = expected.pop(place, None)
        if tally is None:
            findings.add(name, f"{_where(place)} stands there once too often.", "extra")
        elif tally != counts:
            findings.add(
                name, f"{_where(place)}: counts are {counts}, expected {tally}.", "differs"
            )
    for place, tally in expected.items():
        findings.add(name, f"{_where(place)} has no row, expected {tally}.", "missing")


def _where(place: tuple[Any, ...]) -> str:
    """Hour or day, country and operator; what follows may hold free text."""
    at, country, operator, *_ = place
    return f"{shown(at)[:16]}, {country or 'no country'}, {operator or 'no operator'}"
