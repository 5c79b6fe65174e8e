"""Which send belongs to which report: by sid, else by a uid that names one of each."""

from collections import Counter, defaultdict
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
    uids_of_sids: set[str | None] = field(default_factory=set)
    """Uids that stand beside a sid."""
    repeated: int = 0
    """Sends of a sid beside the one that counts."""
    ambiguous: int = 0
    """Sends without a sid that may be of several messages, or of none."""


def attribute(reports: Iterable[Report], sends: Iterable[Send]) -> Attribution:
    """Tell for each send whose it is."""
    reported = {report.sid: report for report in reports}
    distinct = set(sends)
    named = _first_of_each_sid(send for send in distinct if send.sid is not None)
    found = Attribution(
        uids_of_sids={
            send.uid for send in distinct if send.sid is not None and send.uid is not None
        }
    )
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
    """Sends without a sid; one that nobody reported under its uid waits as any other does."""
    lines = Counter(send.uid for send in sends)
    carriers: dict[str | None, list[int]] = defaultdict(list)
    for report in reported.values():
        carriers[report.uid].append(report.sid)
    named = set(found.by_sid)
    for send in sends:
        sids = carriers[send.uid] if send.uid is not None else []
        if lines[send.uid] > 1 or send.uid in found.uids_of_sids or len(sids) > 1:
            found.ambiguous += 1
        elif not sids:
            found.unreported.append(send)
        elif sids[0] in named:
            found.ambiguous += 1
        else:
            found.by_sid[sids[0]] = send
