"""Which send belongs to which report: by sid, else by a uid that names one of each."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.truth.messages import Report, Send


@dataclass
class Attribution:
    """The sends of one log, taken apart."""

    by_sid: dict[int, Send] = field(default_factory=dict)
    """The send of each reported message that has one."""
    unreported: list[Send] = field(default_factory=list)
    """Sends of messages that nobody reported."""
    repeated: int = 0
    """Sends of a sid beside the one that counts."""
    ambiguous: int = 0
    """Sends without a sid that may be of several messages, or of none."""


def attribute(reports: Iterable[Report], sends: Iterable[Send]) -> Attribution:
    """Tell for each send whose it is."""
    reported = {report.sid: report for report in reports}
    distinct = set(sends)
    named = _first_of_each_sid(send for send in distinct if send.sid is not None)
    found = Attribution()
    found.repeated = sum(send.sid is not None for send in distinct) - len(named)
    for sid, send in named.items():
        if sid in reported:
            found.by_sid[sid] = send
        else:
            found.unreported.append(send)
    _attribute_by_uid(found, reported, [send for send in distinct if send.sid is None])
    return found


def _first_of_each_sid(sends: Iterable[Send]) -> dict[int, Send]:
    first: dict[int, Send] = {}
    for send in sorted(sends, key=_order):
        first.setdefault(send.sid or 0, send)
    return first


def _order(send: Send) -> tuple[object, ...]:
    texts = (send.tag, send.uid, send.mobile)
    return (send.sent_at, *((text is None, text or "") for text in texts))


def _attribute_by_uid(found: Attribution, reported: dict[int, Report], sends: list[Send]) -> None:
    senders = Counter(send.uid for send in sends)
    carriers: dict[str | None, list[int]] = {}
    for report in reported.values():
        carriers.setdefault(report.uid, []).append(report.sid)
    for send in sends:
        sids = carriers.get(send.uid, []) if send.uid is not None else []
        if len(sids) == 1 and senders[send.uid] == 1 and sids[0] not in found.by_sid:
            found.by_sid[sids[0]] = send
        else:
            found.ambiguous += 1
