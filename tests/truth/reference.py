"""What the tables must hold, in plain Python that shares nothing with the product.

Written for clarity, for records that are readable; the decoding has tests of its own. ``Batch`` is
for pushes of which the test that makes them knows what can be read.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

CONTENT = ("uid", "mobile", "report_status", "user_receive_time", "error_msg", "error_detail")
BY_GREATNESS = ("user_receive_time", "error_msg", "error_detail", "uid", "mobile")


@dataclass(frozen=True)
class Report:
    """One record of one push."""

    received_at: datetime
    push_id: str
    position: int
    fields: dict[str, Any]

    @property
    def landed(self) -> tuple[datetime, str, int]:
        return (self.received_at, self.push_id, self.position)

    @property
    def content(self) -> tuple[Any, ...]:
        return tuple(self.fields[name] for name in CONTENT)


def naive_utc(text: Any, zone: str) -> datetime | None:
    """The provider's naive time in UTC, without zone; None where it is unreadable."""
    try:
        local = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
        if local.strftime("%Y-%m-%d %H:%M:%S") != text or local.year < 1000:
            return None
    except (TypeError, ValueError):
        return None
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)


def winner_key(fields: dict[str, Any], zone: str) -> tuple[Any, ...]:
    """Sorts the report that stands for its message last."""
    time = naive_utc(fields["user_receive_time"], zone)
    rest = [(fields[name] is not None, fields[name] or "") for name in BY_GREATNESS]
    return (fields["report_status"] == "SUCCESS", time is not None, time or datetime.min, *rest)


def sms_status(reports: Iterable[Report], zone: str = "Asia/Shanghai") -> dict[int, dict[str, Any]]:
    """The rows by sid, with the columns that follow from the reports alone."""
    by_sid: dict[int, list[Report]] = {}
    for report in reports:
        by_sid.setdefault(int(report.fields["sid"]), []).append(report)
    return {sid: _row(copies, zone) for sid, copies in by_sid.items()}


def _row(copies: list[Report], zone: str) -> dict[str, Any]:
    best = max(copies, key=lambda report: winner_key(report.fields, zone))
    first_of_content = min(
        (report for report in copies if report.content == best.content), key=lambda r: r.landed
    )
    first = min(report.received_at for report in copies).replace(tzinfo=None)
    time = naive_utc(best.fields["user_receive_time"], zone)
    judged_at = first_of_content.received_at.replace(tzinfo=None)
    plausible = time is not None and datetime(2010, 1, 1) <= time <= judged_at + timedelta(days=1)
    lag = judged_at - time if time else None
    return {
        "uid": best.fields["uid"],
        "mobile": best.fields["mobile"],
        "report_status": best.fields["report_status"],
        "delivered": best.fields["report_status"] == "SUCCESS",
        "handset_time_utc": time,
        "handset_time_raw": best.fields["user_receive_time"],
        "event_time_utc": time if plausible else first,
        "error_code": best.fields["error_msg"],
        "error_detail": best.fields["error_detail"],
        "first_received_at_utc": first,
        "push_id": first_of_content.push_id,
        "copies": len(copies),
        "conflicting": len({report.content for report in copies}) > 1,
        "report_lag_s": lag.total_seconds() if lag is not None else None,
    }


def conflicting_reports(
    reports: Iterable[Report], zone: str = "Asia/Shanghai"
) -> dict[int, list[tuple[Any, ...]]]:
    """For each sid with several contents these, the winner first, each with its copies."""
    by_sid: dict[int, Counter[tuple[Any, ...]]] = {}
    for report in reports:
        by_sid.setdefault(int(report.fields["sid"]), Counter())[report.content] += 1

    def greatness(content: tuple[Any, ...]) -> tuple[Any, ...]:
        return winner_key(dict(zip(CONTENT, content, strict=True)), zone)

    return {
        sid: [(*content, contents[content]) for content in sorted(contents, key=greatness)[::-1]]
        for sid, contents in by_sid.items()
        if len(contents) > 1
    }


@dataclass(frozen=True)
class Batch:
    """One push, of which is known what can be read and what cannot."""

    received_at: datetime
    push_id: str
    decoding: str
    records: list[tuple[int, dict[str, Any]]]
    """Position and fields of every readable record."""
    rejects: list[tuple[int | None, str]]
    """Position and reason of everything else."""

    @property
    def reports(self) -> list[Report]:
        return [
            Report(self.received_at, self.push_id, position, fields)
            for position, fields in self.records
        ]


def pushes(batches: Iterable[Batch]) -> dict[str, tuple[Any, ...]]:
    """By push: decoding, records, accepted, duplicates, conflicts, rejected."""
    batches = list(batches)
    found = outcomes(report for batch in batches for report in batch.reports)
    nothing = {"accepted": 0, "duplicates": 0, "conflicts": 0}
    return {
        batch.push_id: (
            batch.decoding,
            len(batch.records) + len(batch.rejects),
            *found.get(batch.push_id, nothing).values(),
            len(batch.rejects),
        )
        for batch in batches
    }


def outcomes(reports: Iterable[Report]) -> dict[str, dict[str, int]]:
    """Accepted, duplicates and conflicts by push, attributed in landing order."""
    seen: dict[int, set[tuple[Any, ...]]] = {}
    by_push: dict[str, dict[str, int]] = {}
    for report in sorted(reports, key=lambda one: one.landed):
        contents = seen.setdefault(int(report.fields["sid"]), set())
        outcome = (
            "duplicates" if report.content in contents else "conflicts" if contents else "accepted"
        )
        contents.add(report.content)
        counts = by_push.setdefault(
            report.push_id, {"accepted": 0, "duplicates": 0, "conflicts": 0}
        )
        counts[outcome] += 1
    return by_push
