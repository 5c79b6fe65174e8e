"""Elements of an array to reports, or to the reason why they are none."""

import json
import re
from typing import Any

from pipelines.verify.damage import Damaged
from pipelines.verify.forms import SURROGATE, Form, RestoredPlus, Written

_TEXTS = ("user_receive_time", "error_msg", "error_detail", "uid", "mobile")
_LEAST, _MOST = -(2**63), 2**63 - 1
_SID = re.compile(r"(-?)0*([0-9]{1,19})")
_MOST_VALUE = 1_000

Report = tuple[int, int, bool, str | None, str | None, str | None, str | None, str | None]
"""Position, sid, whether it is a SUCCESS, time of the handset, code, detail, uid and mobile."""
Reject = tuple[int | None, str, str | None, str | None]
"""Position (None for a whole push), reason, field and what stands there."""


def take(form: Form) -> tuple[list[Report], list[Reject], int]:
    """Sort the elements of a push into reports and rejects; counts the restored plus signs."""
    reports: list[Report] = []
    rejects: list[Reject] = [(None, reason, None, _value(text)) for reason, text in form.faults]
    restored = 0
    for position, element in enumerate(form.elements):
        sid, fault = _sid_of(element)
        if fault:
            rejects.append((position, *fault))
            continue
        texts = [
            value if value is None or value.__class__ is str else as_text(value)
            for value in map(element.get, _TEXTS)
        ]
        restored += element.get("mobile").__class__ is RestoredPlus
        reports.append((position, sid, element["report_status"] == "SUCCESS", *texts))
    return reports, rejects, restored


def _sid_of(element: Any) -> tuple[int, tuple[str, str | None, str | None] | None]:  # noqa: ANN401  any JSON
    """Return the sid of a sound record; else the reason, the field and its value."""
    if element.__class__ is not dict:
        is_damage = element.__class__ is Damaged
        value = element if is_damage else _written(element)
        return 0, ("damaged_json" if is_damage else "not_an_object", None, _value(value))
    sid = element.get("sid")
    if sid.__class__ is str:
        sid = sid_of_text(sid)
    if sid.__class__ is not int or not _LEAST <= sid <= _MOST:
        return 0, ("bad_sid", "sid", _field_value(element.get("sid")))
    status = element.get("report_status")
    if status not in ("SUCCESS", "FAIL"):
        return 0, ("bad_report_status", "report_status", _field_value(status))
    return sid, None


def _field_value(value: Any) -> str | None:  # noqa: ANN401  any JSON
    return None if value is None else _value(as_text(value))


def _value(text: str) -> str:
    return SURROGATE.sub("\ufffd", text[:_MOST_VALUE])


def sid_of_text(text: str) -> int | None:
    """Read a sid that was sent as text; None where it is no whole number of 64 bits."""
    match = _SID.fullmatch(text)
    sid = int(match[1] + match[2]) if match else None
    return sid if sid is not None and _LEAST <= sid <= _MOST else None


def as_text(value: Any) -> str:  # noqa: ANN401  any JSON
    """Write a field that is no text as the text it is stored as; numbers digit for digit."""
    text = value if isinstance(value, str) else _written(value)
    return SURROGATE.sub("\ufffd", str(text))


def _written(value: Any) -> str:  # noqa: ANN401  any JSON, of bounded depth
    """Write JSON without blanks, and numbers digit for digit."""
    if isinstance(value, dict):
        pairs = [f"{_written(name)}:{_written(item)}" for name, item in value.items()]
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_written, value))}]"
    return str(value) if isinstance(value, Written) else json.dumps(value, ensure_ascii=False)
