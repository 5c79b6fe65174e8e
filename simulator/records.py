"""Messages as the provider writes them: JSON records, and a few bad ones."""

import heapq
import random
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from json.encoder import encode_basestring
from typing import NamedTuple

from simulator.reports import Report
from simulator.traffic import Message

STRING_SID_SHARE = 0.01
"""Records whose sid is a text, as in the provider's query interface. An assumption."""


class Element(NamedTuple):
    """One element of a pushed array. Sorts by the time it is ready."""

    ready_ms: int
    """When the provider has it, milliseconds since 1970."""
    report: int
    """Which report it is: twice the message's number, plus 1 for the late success; -1 if bad."""
    text: str
    """Its JSON."""


def record_text(message: Message, report: Report, sid: str | None = None) -> str:
    """Return the record as JSON, its fields in the order of the provider's page.

    ``sid`` is a JSON literal that stands in for the message's own; an empty one leaves the
    field out.
    """
    sid = str(message.sid) if sid is None else sid
    text = report.error_detail
    detail = "" if text is None else f'"error_detail":{_literal(text)},'
    sid_field = f'"sid":{sid},' if sid else ""
    status = "SUCCESS" if report.delivered else "FAIL"
    return (
        f'{{{detail}{sid_field}"uid":{_uid_literal(message.uid)},'
        f'"user_receive_time":{_text_or_null(report.receive_time)},'
        f'"error_msg":{_literal(report.error_msg)},"mobile":"{message.subscriber.mobile}",'
        f'"report_status":"{status}"}}'
    )


def elements(messages: Iterable[Message], seed: int, bad_share: float) -> Iterator[Element]:
    """Yield the records of ``messages`` in the order in which the provider has them.

    Bad records are added to the good ones, ``bad_share`` per report, so that no truth is lost with
    them. Memory holds only reports that are not yet due.
    """
    rng = random.Random(f"records/{seed}")  # noqa: S311  (a simulation)
    waiting: list[Element] = []
    for message in messages:
        while waiting and waiting[0].ready_ms <= message.sent_ms:
            yield heapq.heappop(waiting)
        for element in _elements_of(message, rng, bad_share):
            heapq.heappush(waiting, element)
    waiting.sort()
    yield from waiting


def _elements_of(message: Message, rng: random.Random, bad_share: float) -> Iterator[Element]:
    for version, report in enumerate(message.reports):
        sid = f'"{message.sid}"' if rng.random() < STRING_SID_SHARE else None
        text = record_text(message, report, sid)
        yield Element(report.ready_ms, 2 * message.number + version, text)
        if rng.random() < bad_share:
            yield Element(report.ready_ms, -1, rng.choice(BAD_RECORDS)(message, report))


def _text_or_null(text: str | None) -> str:
    return "null" if text is None else encode_basestring(text)


_literal = lru_cache(maxsize=1024)(_text_or_null)
"""The same for texts that recur."""


def _uid_literal(uid: str | int | None) -> str:
    return str(uid) if isinstance(uid, int) else _text_or_null(uid)


def _with_sid(template: str) -> Callable[[Message, Report], str]:
    return lambda message, report: record_text(message, report, template.format(message.sid))


def _with_status(status: str) -> Callable[[Message, Report], str]:
    def make(message: Message, report: Report) -> str:
        """Return the record with this JSON literal for its status, which stands last."""
        return record_text(message, report).rpartition(":")[0] + f":{status}}}"

    return make


def _constant(text: str) -> Callable[[Message, Report], str]:
    return lambda _message, _report: text


BAD_RECORDS: tuple[Callable[[Message, Report], str], ...] = (
    _with_sid(""),
    _with_sid("null"),
    _with_sid("{}.5"),
    _with_sid("1e5"),
    _with_sid("true"),
    _with_sid("-0.0"),
    _with_sid('"no number"'),
    _with_sid("9223372036854775808"),
    _with_status('"UNKNOWN"'),
    _with_status('"success"'),
    _with_status("null"),
    _constant('"a text"'),
    _constant("42"),
    _constant("null"),
    _constant("[]"),
)
"""Every kind of record the product has to reject: bad sid, unknown status, not an object."""
