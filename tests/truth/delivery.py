"""Delivery: counts and rates an hour or a day, with and without the send log."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from tests.truth.arithmetic import rate, wilson
from tests.truth.attribution import Attribution
from tests.truth.codes import meaning
from tests.truth.messages import Report
from tests.truth.numbers import owner

MATURE_AFTER = timedelta(hours=72)
OF_SENDS = (
    "sent",
    "sent_reported",
    "sent_delivered",
    "sent_failed_at_recipient",
    "pending",
    "unknown",
)
RATES: dict[str, Callable[[Counter[str]], tuple[int, int]]] = {
    "reported_delivery_rate": lambda n: (n["delivered"], n["delivered"] + n["failed"]),
    "delivery_rate": lambda n: (n["sent_delivered"], n["sent"]),
    "receipt_rate": lambda n: (n["sent_reported"], n["sent"]),
    "effective_rate": lambda n: (
        n["sent_delivered"],
        n["sent"] - n["pending"] - n["sent_failed_at_recipient"],
    ),
}
Key = tuple[Any, ...]


def hour_of(moment: datetime) -> datetime:
    """Begin of the hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def count_hours(
    reports: Iterable[Report], sends: Attribution, as_of: datetime
) -> dict[Key, Counter[str]]:
    """What happened, by hour, country, operator and tag."""
    counts: dict[Key, Counter[str]] = defaultdict(Counter)
    for report in reports:
        send = sends.by_sid.get(report.sid)
        tag = send.tag if send else None
        key = (hour_of(report.event_time), report.country, report.operator, tag)
        counts[key].update(_words(report, known=send is not None))
    for send in sends.unreported:
        country, operator = owner(send.mobile) if send.mobile else (None, None)
        age = as_of - send.sent_at
        key = (hour_of(send.sent_at), country, operator, send.tag)
        counts[key].update(["sent", "pending" if age < MATURE_AFTER else "unknown"])
    return counts


def _words(report: Report, *, known: bool) -> list[str]:
    """The counts that a message with a report adds one to."""
    words = ["reports", "delivered" if report.delivered else "failed"]
    party = None if report.delivered else meaning(report.operator, report.error_code).party
    if party in ("recipient", "handset"):
        words.append("failed_at_recipient")
    if known:
        words += ["sent", "sent_reported"]
        words += ["sent_delivered"] if report.delivered else []
        words += ["sent_failed_at_recipient"] if "failed_at_recipient" in words else []
    return words


def days_of(hours: dict[Key, Counter[str]]) -> dict[Key, Counter[str]]:
    """A day is the sum of its hours."""
    days: dict[Key, Counter[str]] = defaultdict(Counter)
    for (hour, *rest), counts in hours.items():
        days[(hour.date(), *rest)].update(counts)
    return days


def rows(counts: dict[Key, Counter[str]]) -> dict[Key, dict[str, Any]]:
    """Counts with the rates that follow from them; what needs a send is None without one."""
    return {key: _row(count) for key, count in counts.items()}


def _row(count: Counter[str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        name: count[name] for name in ("reports", "delivered", "failed", "failed_at_recipient")
    }
    row |= {name: count[name] if count["sent"] else None for name in OF_SENDS}
    for name, parts in RATES.items():
        part, whole = parts(count) if count["sent"] or name == "reported_delivery_rate" else (0, 0)
        row[name] = rate(part, whole)
        row[f"{name}_low"], row[f"{name}_high"] = wilson(part, whole)
    return row
