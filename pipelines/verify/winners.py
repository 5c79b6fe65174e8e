"""Which report of each message wins, and what follows from it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pipelines.verify.clock import HOUR_US, event_us
from pipelines.verify.codes import CarrierCodes
from pipelines.verify.reports import Report
from pipelines.verify.sendlog import Attributed
from pipelines.verify.spill import Row
from pipelines.verify.tables import Repeated, Version

_SAYS = Report._fields.index("success")
"""Where a report's content begins: all that tells two reports of one message apart."""

HandsetClock = Callable[[str | None], int | None]


@dataclass(slots=True)
class Rules:
    """What a report is read by."""

    handset_us: HandsetClock
    codes: CarrierCodes


@dataclass(slots=True)
class Settled:
    """A message reported more than once."""

    winner: Row
    """First copy of the winning content."""
    copies: int
    first_us: int
    versions: list[Version] = field(default_factory=list)
    """Every content, the winner first; empty where there is only one."""
    repeated: list[Repeated] = field(default_factory=list)
    """Each copy in the order they landed, in the shape of Repeated."""


def settle(reports: Iterable[Row], handset_us: HandsetClock) -> Settled:
    """Let the reports of one message contend."""
    landed = sorted(reports, key=lambda report: report[1:4])
    contents: dict[Row, list[Row]] = {}
    repeated: list[Repeated] = []
    for report in landed:
        known = contents.setdefault(report[_SAYS:], [])
        outcome = "duplicate" if known else "conflict" if repeated else "accepted"
        repeated.append(_repeated(report, outcome, handset_us))
        known.append(report)
    ranked = sorted(contents, key=lambda content: _rank(content, handset_us), reverse=True)
    settled = Settled(contents[ranked[0]][0], len(landed), landed[0][1], repeated=repeated)
    if len(ranked) > 1:
        settled.versions = [
            _version(place, contents[content], handset_us)
            for place, content in enumerate(ranked, start=1)
        ]
    return settled


def _repeated(report: Row, outcome: str, handset_us: HandsetClock) -> Repeated:
    copy = Report(*report)
    return Repeated(
        sid=copy.sid,
        push_id=copy.push_id,
        position=copy.position,
        outcome=outcome,
        received_at_utc=copy.received_us,
        uid=copy.uid,
        mobile=copy.mobile,
        report_status="SUCCESS" if copy.success else "FAIL",
        handset_time_utc=handset_us(copy.handset_raw),
        handset_time_raw=copy.handset_raw,
        error_code=copy.code,
        error_detail=copy.detail,
    )


def _rank(content: Row, handset_us: HandsetClock) -> tuple[Any, ...]:
    success, handset_raw, *texts = content
    at = handset_us(handset_raw)
    # what is absent comes below everything
    return (
        success,
        (at is not None, at or 0),
        *((t is not None, t or "") for t in (handset_raw, *texts)),
    )


def _version(place: int, copies: list[Row], handset_us: HandsetClock) -> Version:
    first = Report(*copies[0])
    return Version(
        sid=first.sid,
        version=place,
        uid=first.uid,
        mobile=first.mobile,
        report_status="SUCCESS" if first.success else "FAIL",
        handset_time_utc=handset_us(first.handset_raw),
        handset_time_raw=first.handset_raw,
        error_code=first.code,
        error_detail=first.detail,
        copies=len(copies),
        first_received_at_utc=first.received_us,
        is_winner=place == 1,
    )


def expected_row(
    winner: Row,
    copies: int,
    first_us: int,
    operator: str | None,
    rules: Rules,
    *,
    conflicting: bool,
    send: Attributed | None,
) -> tuple[Any, ...]:
    """Return the recomputed columns of a message, in the order of Message."""
    sid, received_us, push_id, position, _, success, handset_raw, code, detail, uid, mobile = winner
    handset = rules.handset_us(handset_raw)
    event = event_us(handset, first_us)
    return (
        sid,
        uid,
        mobile,
        "SUCCESS" if success else "FAIL",
        success,
        handset,
        handset_raw,
        event,
        event - event % HOUR_US,
        code,
        detail,
        *rules.codes.meaning(success=success, operator=operator, code=code),
        first_us,
        push_id,
        position,
        copies,
        conflicting,
        None if handset is None else (received_us - handset) / 1e6,
        send and send.sent_us,
        None if handset is None or send is None else (handset - send.sent_us) / 1e6,
        send and (received_us - send.sent_us) / 1e6,
        send and send.tag,
    )
