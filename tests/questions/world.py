"""What is true of some traffic, as the questions put it: plain Python, no SQL."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from tests.simulated import Traffic
from tests.truth.attribution import Attribution, attribute
from tests.truth.codes import Meaning, meaning
from tests.truth.messages import Report, Send, naive

Rows = list[tuple[Any, ...]]
Answer = Callable[["World", Mapping[str, str]], Rows]
ANSWERS: dict[str, Answer] = {}
"""The answer to each question by its name."""


def answers(name: str) -> Callable[[Answer], Answer]:
    """Register the true answer to a question."""

    def register(answer: Answer) -> Answer:
        ANSWERS[name] = answer
        return answer

    return register


@dataclass(frozen=True)
class World:
    """Traffic, the send log that was kept of it, and what follows."""

    traffic: Traffic
    sends: list[Send] = field(default_factory=list)

    @property
    def reports(self) -> list[Report]:
        """Messages with a report."""
        return self.traffic.reports

    @property
    def as_of(self) -> datetime:
        """Latest reception."""
        return self.traffic.as_of

    @cached_property
    def failures(self) -> list[tuple[Report, Meaning]]:
        """Failed messages with what their code means."""
        return [
            (report, meaning(report.operator, report.error_code))
            for report in self.reports
            if not report.delivered
        ]

    @cached_property
    def attribution(self) -> Attribution:
        """Whose send is whose."""
        return attribute(self.reports, self.sends)

    @cached_property
    def sent(self) -> list[tuple[Send, Report | None]]:
        """Every send that counts, with the report of its message."""
        reported = {report.sid: report for report in self.reports}
        known: list[tuple[Send, Report | None]] = [
            (send, reported[sid]) for sid, send in self.attribution.by_sid.items()
        ]
        return known + [(send, None) for send in self.attribution.unreported]

    @cached_property
    def receptions(self) -> list[datetime]:
        """When pushes came in, in order."""
        return sorted(naive(envelope.received_at) for envelope in self.traffic.envelopes)


def group(items: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    """Items by what ``key`` says of them."""
    found: dict[Any, list[Any]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return dict(found)


def month(moment: datetime) -> date:
    """First day of the month."""
    return moment.date().replace(day=1)


def last(value: Any) -> tuple[bool, Any]:
    """Sorts None behind everything, as the database does."""
    return (value is None, value or "")
