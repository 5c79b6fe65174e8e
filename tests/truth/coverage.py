"""How well the code table covers what carriers report, and which failures look made up."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from tests.truth.arithmetic import rate
from tests.truth.codes import code_key, meaning
from tests.truth.delivery import Key
from tests.truth.messages import Report

OFTEN_MADE_UP = ("DB:0102", "CA:0051", "DB:0140", "DB:0103", "CB:0007", "MK:0021")
FEWEST = 60
EVEN_BELOW = Fraction("11.07")
"""The 95 % point of chi-square at five degrees of freedom."""


def _failures_by_cut(reports: Iterable[Report]) -> dict[Key, list[Report]]:
    cuts: dict[Key, list[Report]] = defaultdict(list)
    for report in reports:
        if not report.delivered:
            cuts[(report.event_time.date(), report.country, report.operator)].append(report)
    return cuts


def coverage_rows(reports: Iterable[Report]) -> dict[Key, dict[str, Any]]:
    """What `marts.code_coverage_daily` must hold."""
    return {cut: _coverage(failures) for cut, failures in _failures_by_cut(reports).items()}


def _coverage(failures: list[Report]) -> dict[str, Any]:
    coded = [report for report in failures if report.error_code and report.error_code.strip()]
    found = Counter(meaning(report.operator, report.error_code).match for report in coded)
    pattern, unmapped = found["pattern"], found["none"]
    row: dict[str, Any] = {
        "failures": len(failures),
        "with_code": len(coded),
        "literal": len(coded) - pattern - unmapped,
        "pattern": pattern,
        "unmapped": unmapped,
    }
    shares = {f"{kind}_share": row[kind] for kind in ("literal", "pattern", "unmapped")}
    return row | {name: rate(part, len(coded)) for name, part in shares.items()}


def suspicious_rows(reports: Iterable[Report]) -> dict[Key, dict[str, Any]]:
    """What `marts.suspicious_codes_daily` must hold."""
    rows = {}
    for cut, failures in _failures_by_cut(reports).items():
        codes = Counter(code_key(report.error_code or "") for report in failures)
        counts = [codes[code] for code in OFTEN_MADE_UP]
        total = sum(counts)
        if all(counts) and total >= FEWEST:
            even = Fraction(total, len(counts))
            chi_square = sum(((count - even) ** 2 / even for count in counts), Fraction(0))
            if chi_square < EVEN_BELOW:
                rows[cut] = {
                    "failures": total,
                    "fewest": min(counts),
                    "most": max(counts),
                    "chi_square": float(chi_square),
                    "share": rate(total, len(failures)),
                }
    return rows
