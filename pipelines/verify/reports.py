"""Elements of an array to reports, or to the reason why they are none."""

import json
import re
from typing import Any, NamedTuple

from pipelines.verify.damage import DAMAGED
from pipelines.verify.forms import Written

_TEXTS = ("user_receive_time", "error_msg", "error_detail", "uid", "mobile")
_SID_TEXT = re.compile(r"-?[0-9]+")
_LOST_PLUS = re.compile(r" [0-9]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LEAST, _MOST = -(2**63), 2**63 - 1
_MOST_SID_DIGITS = 19


class Report(NamedTuple):
    """One readable report; the second half is what it says, in the order contents are ranked by."""

    sid: int
    received_us: int
    push_id: str
    position: int
    line: int
    success: bool
    handset_raw: str | None
    code: str | None
    detail: str | None
    uid: str | None
    mobile: str | None


class Reject(NamedTuple):
    """One record that cannot be taken."""

    position: int | None
    reason: str
    field: str | None


class Taken(NamedTuple):
    """What one push holds."""

    reports: list[tuple[Any, ...]]
    """In the shape of Report; plain tuples, for there are very many."""
    rejects: list[Reject]
    repaired_mobiles: int


def take(elements: list[Any], received_us: int, push_id: str, line: int) -> Taken:
    """Sort the elements of a push."""
    reports: list[tuple[Any, ...]] = []
    rejects: list[Reject] = []
    repaired = 0
    for position, element in enumerate(elements):
        sid, fault = _sid_of(element)
        if fault:
            rejects.append(Reject(position, *fault))
            continue
        texts = [
            value if value is None or value.__class__ is str else as_text(value)
            for value in map(element.get, _TEXTS)
        ]
        mobile = texts[-1]
        if mobile and mobile[0] == " " and _LOST_PLUS.fullmatch(mobile):
            # an unencoded plus sign became a space
            texts[-1] = "+" + mobile[1:]
            repaired += 1
        success = element["report_status"] == "SUCCESS"
        reports.append((sid, received_us, push_id, position, line, success, *texts))
    return Taken(reports, rejects, repaired)


def _sid_of(element: Any) -> tuple[int, tuple[str, str | None] | None]:  # noqa: ANN401  any JSON
    """Return the sid of a sound record; else why, and in which field, it is not sound."""
    if element.__class__ is not dict:
        return 0, ("damaged_json" if element is DAMAGED else "not_an_object", None)
    sid = element.get("sid")
    if sid.__class__ is not int:
        sid = _whole_number(sid)
    if sid is None or not _LEAST <= sid <= _MOST:
        return 0, ("bad_sid", "sid")
    status = element.get("report_status")
    if status not in ("SUCCESS", "FAIL"):
        return 0, ("bad_report_status", "report_status")
    return sid, None


def _whole_number(value: Any) -> int | None:  # noqa: ANN401  any JSON
    """Read a sid that was sent as text."""
    if value.__class__ is not str or not _SID_TEXT.fullmatch(value):
        return None
    sign, digits = ("-", value[1:]) if value[0] == "-" else ("", value)
    digits = digits.lstrip("0") or "0"
    return int(sign + digits) if len(digits) <= _MOST_SID_DIGITS else None


def as_text(value: Any) -> str:  # noqa: ANN401  any JSON
    """Write a field that is no text as the text it is stored as; numbers digit for digit."""
    text = value if isinstance(value, str) else _written(value)
    return _SURROGATE.sub("\ufffd", str(text))


def _written(value: Any) -> str:  # noqa: ANN401  any JSON
    """Write JSON without blanks. A stack, for what was parsed may be nested deeper than calls."""
    parts: list[str] = []
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict | list):
            waiting += reversed(_spread(part))
        elif isinstance(part, Written):
            parts.append(part)
        else:
            parts.append(json.dumps(part, ensure_ascii=False))
    return "".join(parts)


def _spread(value: dict[str, Any] | list[Any]) -> list[Any]:
    """Lay a value out flat, its punctuation as text that is kept as written."""
    comma, colon = Written(","), Written(":")
    if isinstance(value, dict):
        flat = [part for name, item in value.items() for part in (comma, name, colon, item)]
        return [Written("{"), *flat[1:], Written("}")]
    flat = [part for item in value for part in (comma, item)]
    return [Written("["), *flat[1:], Written("]")]
