"""Messages as the provider writes them: JSON records, and a few bad ones."""

import heapq
import random
from collections.abc import Iterable, Iterator
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


def record_text(
    message: Message, report: Report, sid: str = "{}", status: str | None = None
) -> str:
    """Return the record as JSON, its fields in the order of the provider's page.

    ``sid`` and ``status`` are JSON literals that stand in for the message's own; ``{}`` is its sid,
    an empty one leaves the field out.
    """
    sid = sid.format(message.sid)
    text = report.error_detail
    detail = "" if text is None else f'"error_detail":{_literal(text)},'
    sid_field = f'"sid":{sid},' if sid else ""
    status = status or ('"SUCCESS"' if report.delivered else '"FAIL"')
    return (
        f'{{{detail}{sid_field}"uid":{_uid_literal(message.uid)},'
        f'"user_receive_time":{_text_or_null(report.receive_time)},'
        f'"error_msg":{_literal(report.error_msg)},"mobile":"{message.subscriber.mobile}",'
        f'"report_status":{status}}}'
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
        sid = '"{}"' if rng.random() < STRING_SID_SHARE else "{}"
        text = record_text(message, report, sid)
        yield Element(report.ready_ms, 2 * message.number + version, text)
        if rng.random() < bad_share:
            yield Element(
                report.ready_ms, -1, _bad_record(message, report, *rng.choice(BAD_RECORDS))
            )


def _text_or_null(text: str | None) -> str:
    return "null" if text is None else encode_basestring(text)


_literal = lru_cache(maxsize=1024)(_text_or_null)
"""The same for texts that recur."""


def _uid_literal(uid: str | int | None) -> str:
    return str(uid) if isinstance(uid, int) else _text_or_null(uid)


def _bad_record(message: Message, report: Report, part: str, literal: str) -> str:
    if part == "whole":
        return literal
    return record_text(message, report, **{part: literal})


_BAD_SIDS = (
    *("", "null", "{}.5", "1e5", "true", "-0.0"),
    *('"no number"', "9223372036854775808"),
)
BAD_RECORDS = (
    *(("sid", literal) for literal in _BAD_SIDS),
    *(("status", literal) for literal in ('"UNKNOWN"', '"success"', "null")),
    *(("whole", literal) for literal in ('"a text"', "42", "null", "[]")),
)
"""Every kind of record that must be rejected: the part that is wrong, and what it is instead."""
