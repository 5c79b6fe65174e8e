"""What failed and why, a day."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from tests.truth.arithmetic import rate
from tests.truth.codes import meaning
from tests.truth.delivery import Key
from tests.truth.messages import Report


def failure_rows(reports: Iterable[Report]) -> dict[Key, dict[str, Any]]:
    """What `marts.failures_daily` must hold."""
    groups: dict[Key, list[Report]] = defaultdict(list)
    totals: Counter[Key] = Counter()
    for report in reports:
        if not report.delivered:
            found = meaning(report.operator, report.error_code)
            cut = (report.event_time.date(), report.country, report.operator)
            groups[(*cut, found.category, report.error_code, found.match)].append(report)
            totals[cut] += 1
    return {key: _row(key, group, totals[key[:3]]) for key, group in groups.items()}


def _row(key: Key, group: list[Report], total: int) -> dict[str, Any]:
    found = meaning(key[2], key[4])
    details = [report.error_detail for report in group if report.error_detail is not None]
    times = [report.event_time for report in group]
    return {
        "error_party": found.party,
        "error_permanent": found.permanent,
        "failures": len(group),
        "share": rate(len(group), total),
        "first_seen_utc": min(times),
        "last_seen_utc": max(times),
        "example_detail": min(details, default=None),
    }
