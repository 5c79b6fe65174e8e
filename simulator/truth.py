"""What really happened, written along with the traffic: the truth, and the sender's own log.

The truth is JSON Lines, one line a message in order of sending:

    {"sid": 1863…, "uid": "m-19da…", "mobile": "13400001234", "country": "CN",
     "operator": "china_mobile", "tag": "otp", "sent_at": "2026-01-05T00:00:01.250Z",
     "outcome": "delivered", "handset_time": "2026-01-05T00:00:05.000Z", "error_code": "DELIVRD",
     "error_detail": "接收成功", "error_party": null, "reports": 1, "failed_at": null}

The send log is CSV with a header: ``sid,uid,sent_at,tag,mobile``.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from simulator.clock import utc_text
from simulator.reports import Report
from simulator.traffic import Message

SEND_LOG_FIELDS = ("sid", "uid", "sent_at", "tag", "mobile")

_encode = json.JSONEncoder(ensure_ascii=False).encode


def record_truth(
    messages: Iterable[Message], truth: Path | None, sends: Path | None
) -> Iterator[Message]:
    """Pass ``messages`` on and write each down on its way; None leaves a file out.

    Files are replaced, and complete once the last message was taken. Raises OSError where a
    file cannot be written.
    """
    with ExitStack() as files:
        truth_file = _open(files, truth)
        sends_file = _open(files, sends)
        log = csv.writer(sends_file, lineterminator="\n") if sends_file else None
        if log:
            log.writerow(SEND_LOG_FIELDS)
        for message in messages:
            if truth_file:
                truth_file.write(_encode(truth_fields(message)) + "\n")
            if log:
                log.writerow(send_fields(message))
            yield message


def truth_fields(message: Message) -> dict[str, object]:
    """Return the truth about ``message`` as the product should see it in the end.

    ``uid`` is text or null, ``handset_time`` the reported instant (cut to the minute for some
    operators; on a failure the time of the report) or null where none is readable, the error
    fields are those of the report that wins, ``reports`` counts its contents: 0, 1 or 2.
    ``failed_at`` is the readable time of a failure that a success followed.
    """
    report = message.reports[-1] if message.reports else None
    earlier = message.reports[0] if len(message.reports) == 2 else None
    return {
        "sid": message.sid,
        "uid": None if message.uid is None else str(message.uid),
        "mobile": message.subscriber.mobile,
        "country": message.subscriber.country,
        "operator": message.subscriber.operator,
        "tag": message.tag,
        "sent_at": utc_text(message.sent_ms),
        "outcome": message.outcome,
        "handset_time": _handset_time(report),
        "error_code": report.error_msg if report else None,
        "error_detail": report.error_detail if report else None,
        "error_party": report.party if report else None,
        "reports": len(message.reports),
        "failed_at": _handset_time(earlier),
    }


def _handset_time(report: Report | None) -> str | None:
    return utc_text(report.handset_s * 1000) if report and report.handset_s is not None else None


def send_fields(message: Message) -> tuple[object, ...]:
    """Return the line of the send log: the number is in E.164 there, a missing uid is empty."""
    sent_at, mobile = utc_text(message.sent_ms), message.subscriber.e164
    return message.sid, message.uid, sent_at, message.tag, mobile


def _open(files: ExitStack, path: Path | None) -> TextIO | None:
    if path is None:
        return None
    return files.enter_context(path.open("w", encoding="utf-8", newline=""))
