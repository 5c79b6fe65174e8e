"""The two inputs, read: the simulator's truth with the times of its pushes, and its send log."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from tests.truth.numbers import owner

_EPOCH = datetime(1970, 1, 1)
_PLAUSIBLE_FROM = datetime(2010, 1, 1)
_PLAUSIBLE_AHEAD = timedelta(days=1)


class Report(NamedTuple):
    """What is known of a message by its report."""

    sid: int
    uid: str | None
    country: str | None
    operator: str | None
    delivered: bool
    handset_time: datetime | None
    received: datetime
    """Reception of the push that brought the winning report."""
    event_time: datetime
    error_code: str | None
    error_detail: str | None

    @property
    def lag_us(self) -> int | None:
        """Microseconds from the handset's time to the reception."""
        return None if self.handset_time is None else microseconds(self.handset_time, self.received)


class Send(NamedTuple):
    """One line of a send log."""

    sid: int | None
    uid: str | None
    sent_at: datetime
    tag: str | None
    mobile: str | None


def microseconds(earlier: datetime, later: datetime) -> int:
    """Whole microseconds between two times."""
    return (later - earlier) // timedelta(microseconds=1)


def naive(moment: datetime) -> datetime:
    """UTC without its zone, as tables have it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def first_receptions(pushes: Iterable[tuple[datetime, Iterable[int]]]) -> dict[int, datetime]:
    """When each report (2 n + version) came first, of the times of pushes and what is in them."""
    first: dict[int, datetime] = {}
    for at, reports in pushes:
        for report in reports:
            first[report] = min(at, first.get(report, at))
    return first


def read_reports(truth: Path, first: Mapping[int, datetime]) -> Iterator[Report]:
    """The messages that have a report, of the truth in order of sending."""
    with truth.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            message = json.loads(line)
            if message["reports"]:
                yield _report(
                    message, first[2 * number + message["reports"] - 1], first[2 * number]
                )


def _report(message: Mapping[str, object], received: datetime, version_0: datetime) -> Report:
    text = message["handset_time"]
    time = None if text is None else naive(datetime.fromisoformat(str(text)))
    earliest = min(received, version_0)
    plausible = time is not None and _PLAUSIBLE_FROM <= time <= received + _PLAUSIBLE_AHEAD
    mobile = str(message["mobile"])
    country, operator = owner(mobile if mobile.startswith("+") else f"+86{mobile}")
    # Two sources tell whose number it is, who made it up and the published ranges. Ranges that are
    # kept for fiction are nobody's, and who made a foreign number up does not know its operator.
    if country not in (message["country"], None) or message["operator"] not in (
        operator,
        "foreign",
    ):
        raise AssertionError(f"the ranges say {country}, {operator} of a number of {message}")
    return Report(
        sid=int(str(message["sid"])),
        uid=None if message["uid"] is None else str(message["uid"]),
        country=country,
        operator=operator,
        delivered=message["outcome"] == "delivered",
        handset_time=time,
        received=received,
        event_time=time if time is not None and plausible else earliest,
        error_code=_text(message["error_code"]),
        error_detail=_text(message["error_detail"]),
    )


def second_thoughts(truth: Path) -> list[tuple[datetime | None, datetime]]:
    """Times of each failure that a success followed (None if unreadable), and of that success."""
    found = []
    with truth.open(encoding="utf-8") as lines:
        for message in map(json.loads, lines):
            if message["reports"] == 2:
                failed = message["failed_at"]
                success = naive(datetime.fromisoformat(message["handset_time"]))
                found.append((naive(datetime.fromisoformat(failed)) if failed else None, success))
    return found


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def read_sends(log: Path) -> list[Send]:
    """The lines of a send log; an empty field is a missing one."""
    with log.open(encoding="utf-8", newline="") as file:
        return [
            Send(
                sid=int(row["sid"]) if row["sid"] else None,
                uid=row["uid"] or None,
                sent_at=naive(datetime.fromisoformat(row["sent_at"])),
                tag=row["tag"] or None,
                mobile=row["mobile"] or None,
            )
            for row in csv.DictReader(file)
        ]
