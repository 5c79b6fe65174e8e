"""All marts at once, from the two inputs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.truth import coverage, delivery, failures, latency
from tests.truth.attribution import Attribution, attribute
from tests.truth.delivery import Key
from tests.truth.messages import Report, Send

KEYS = {
    "marts.delivery_hourly": ("hour_utc", "country_code", "range_operator", "tag"),
    "marts.delivery_daily": ("day_utc", "country_code", "range_operator", "tag"),
    "marts.latency_hourly": ("hour_utc", "country_code", "range_operator", "interval"),
    "marts.latency_buckets_hourly": (
        "hour_utc",
        "country_code",
        "range_operator",
        "interval",
        "upper_bound_s",
    ),
    "marts.failures_daily": (
        "day_utc",
        "country_code",
        "range_operator",
        "error_category",
        "error_code",
        "error_match",
    ),
    "marts.code_coverage_daily": ("day_utc", "country_code", "range_operator"),
    "marts.suspicious_codes_daily": ("day_utc", "country_code", "range_operator"),
}
"""The key of each mart, in the order of the rows' keys here."""


@dataclass(frozen=True)
class Figures:
    """What must stand in the marts, and what it follows from."""

    reports: Sequence[Report]
    as_of: datetime
    sends: Attribution = field(default_factory=Attribution)
    tables: dict[str, dict[Key, dict[str, Any]]] = field(default_factory=dict)


def figures(reports: Sequence[Report], sends: Sequence[Send], as_of: datetime) -> Figures:
    """Compute everything; ``as_of`` is the latest reception."""
    attributed = attribute(reports, sends)
    values = latency.measure(reports, attributed)
    within = latency.reports_come_within(values)
    hours = delivery.count_hours(reports, attributed, as_of)
    hourly = delivery.rows(hours)
    daily = delivery.rows(delivery.days_of(hours))
    unripe = {hour: latency.is_provisional(hour, as_of, within) for hour, *_ in hours}
    for (hour, *rest), row in hourly.items():
        row["provisional"] = unripe[hour]
        daily[(hour.date(), *rest)].setdefault("provisional", False)
        daily[(hour.date(), *rest)]["provisional"] |= unripe[hour]
    tables = {
        "marts.delivery_hourly": hourly,
        "marts.delivery_daily": daily,
        "marts.latency_hourly": latency.latency_rows(reports, values),
        "marts.latency_buckets_hourly": latency.bucket_rows(values),
        "marts.failures_daily": failures.failure_rows(reports),
        "marts.code_coverage_daily": coverage.coverage_rows(reports),
        "marts.suspicious_codes_daily": coverage.suspicious_rows(reports),
    }
    return Figures(reports, as_of, attributed, tables)
