"""The slow path: one pushed body to records and rejects, whatever its bytes.

It is the reference for what a push means; ``warehouse/steps/decode/fast_elements.sql`` does the
same for unambiguous ones at the speed of the database engine. Sources: the provider's page and
receivers in public code.

1.  The form is split at ``&``; each ``sms_status`` in it is a value.
2.  The value is form-decoded once; if that is JSON, stop; else again, at most twice more.
3.  If none is JSON: the same with what is often broken put up with (bytes that are not UTF-8,
    raw control characters), and at last whatever elements of a damaged array can be read.
4.  A blank before the digits of a mobile becomes the ``+`` it was where it stood there as one when
    a decoding made a blank of it; one that was pushed as a blank stays.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from pipelines.decode.json_text import SURROGATE, as_text, parse, write
from pipelines.decode.rejects import Reason, RejectedRecord
from pipelines.decode.salvage import Damaged, salvage

PARAMETER = b"sms_status"
DEPTHS = ("once", "twice", "thrice")
STATUSES = ("SUCCESS", "FAIL")
FIELDS = ("uid", "mobile", "report_status", "user_receive_time", "error_msg", "error_detail")
"""Fields of a record beside its sid, as the provider names them."""

_SID = re.compile(r"-?[0-9]+")
_LOST_PLUS = re.compile(r" [0-9]+")
_BEFORE_JSON = "\ufeff \t\r\n"
_MOST_VALUE = 1_000


class _Repaired(str):
    """A mobile that has got back the plus it had lost."""

    __slots__ = ()


class _Reading(NamedTuple):
    """What the first layer of a value says that can be read."""

    depth: int
    """Which layer: decodings beyond the first."""
    decoding: str
    json: Any
    text: str


@dataclass(slots=True)
class Decoded:
    """One push, taken apart: every record is in ``records`` or in ``rejects``."""

    decoding: str
    records: list[tuple[object, ...]] = field(default_factory=list)
    """Position in the pushed array, sid, and the text of each of FIELDS."""
    rejects: list[RejectedRecord] = field(default_factory=list)
    repaired_mobiles: int = 0


def decode_push(body: bytes) -> Decoded:
    """Take one landed body apart. Never raises on any bytes."""
    decodings: list[str] = []
    elements: list[Any] = []
    rejects: list[RejectedRecord] = []
    for value in _values(body):
        decoding, result = _decode_value(value)
        decodings.append(decoding)
        if isinstance(result, RejectedRecord):
            rejects.append(result)
        else:
            elements += result
    if not decodings:
        # landed by hand: the receiver takes no push without the parameter
        rejects.append(
            RejectedRecord(Reason.NOT_JSON, value=_printable(body.decode("utf-8", "replace")))
        )
    worst = max(decodings, key=(*DEPTHS, "salvaged", "failed").index, default="failed")
    decoded = Decoded(worst, rejects=rejects)
    for position, element in enumerate(elements):
        _take(element, position, decoded)
    return decoded


def _values(body: bytes) -> list[bytes]:
    """Raw values of the parameter, one for each time it stands in the form."""
    found: list[bytes] = []
    start = 0
    for part in body.split(b"&"):
        key, _, value = part.partition(b"=")
        if unquote_to_bytes(key.replace(b"+", b" ")) == PARAMETER:
            if _is_cut_at_ampersand(value):
                return [*found, body[start + len(key) + 1 :]]
            found.append(value)
        start += len(part) + 1
    return found


def _is_cut_at_ampersand(value: bytes) -> bool:
    """Whether this is unencoded JSON that ends too early: a text in it holds an ampersand.

    What can be read to its end, be it only with what is often broken put up with, does not.
    """
    return value.lstrip().startswith(b"[") and _read(list(_layers(value))) is None


def _decode_value(value: bytes) -> tuple[str, list[Any] | RejectedRecord]:
    layers = list(_layers(value))
    reading = _read(layers) or _salvaged(layers)
    if reading is None:
        said = layers[0].decode("utf-8", "replace")
        return "failed", RejectedRecord(Reason.NOT_JSON, value=_printable(said))
    if not isinstance(reading.json, list):
        return "failed", RejectedRecord(Reason.NOT_AN_ARRAY, value=_printable(reading.text))
    _repair_mobiles(reading.json, value, reading.depth)
    return reading.decoding, reading.json


def _read(layers: list[bytes]) -> _Reading | None:
    """The first layer that is whole JSON, broken texts aside."""
    for depth, layer in enumerate(layers):
        with suppress(UnicodeDecodeError):
            text = layer.decode("utf-8")
            if (parsed := parse(text)) is not None:
                lost = any(SURROGATE.search(part) for part in _strings(parsed[0]))
                return _Reading(depth, "salvaged" if lost else DEPTHS[depth], parsed[0], text)
    for depth, layer in enumerate(layers):
        text = layer.decode("utf-8", "replace").lstrip("\ufeff")
        if (parsed := parse(text, strict=False)) is not None:
            return _Reading(depth, "salvaged", parsed[0], text)
    return None


def _salvaged(layers: list[bytes]) -> _Reading | None:
    """What is left of the first layer that begins as an array."""
    for depth, layer in enumerate(layers):
        text = layer.decode("utf-8", "replace").lstrip(_BEFORE_JSON)
        if text.startswith("["):
            return _Reading(depth, *salvage(text), text)
    return None


def _layers(value: bytes, blank: bytes = b" ") -> Iterator[bytes]:
    """The value, form-decoded once, twice and three times; ``blank`` is what a plus becomes."""
    for _ in DEPTHS:
        value = unquote_to_bytes(value.replace(b"+", blank))
        yield value


def _repair_mobiles(elements: list[Any], value: bytes, depth: int) -> None:
    """Put the plus back before mobiles in whose place a decoding left a blank.

    To know it from a blank that was pushed, the value is decoded once more with a tab for each
    plus: between the values of JSON that is a blank as well, and in a text it stays to be seen.
    """
    if not any(map(_has_blank_mobile, elements)):
        return
    layer = list(_layers(value, blank=b"\t"))[depth]
    _, tabbed = salvage(layer.decode("utf-8", "replace").lstrip(_BEFORE_JSON))
    for element, twin in zip(elements, tabbed, strict=True):
        if _has_blank_mobile(element) and twin["mobile"].startswith("\t"):
            element["mobile"] = _Repaired("+" + element["mobile"][1:])


def _has_blank_mobile(element: Any) -> bool:  # noqa: ANN401  any JSON
    mobile = element.get("mobile") if isinstance(element, dict) else None
    return isinstance(mobile, str) and _LOST_PLUS.fullmatch(mobile) is not None


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401  any JSON
    """Texts of all fields of all records."""
    for element in value if isinstance(value, list) else ():
        parts = element.values() if isinstance(element, dict) else ()
        yield from (part for part in parts if isinstance(part, str))


def _take(element: Any, position: int, into: Decoded) -> None:  # noqa: ANN401  any JSON
    """Sort one element into records or rejects."""
    reject = _reject(element, position)
    if reject is not None:
        into.rejects.append(reject)
        return
    fields = (as_text(element.get(name)) for name in FIELDS)
    into.repaired_mobiles += isinstance(element.get("mobile"), _Repaired)
    into.records.append((position, int(element["sid"]), *fields))


def _reject(element: Any, position: int) -> RejectedRecord | None:  # noqa: ANN401  any JSON
    if isinstance(element, Damaged):
        return RejectedRecord(Reason.DAMAGED_JSON, position, value=_printable(element.text))
    if not isinstance(element, dict):
        return RejectedRecord(Reason.NOT_AN_OBJECT, position, value=_printable(write(element)))
    for name, reason, is_good in (
        ("sid", Reason.BAD_SID, _is_sid),
        ("report_status", Reason.BAD_REPORT_STATUS, STATUSES.__contains__),
    ):
        if not is_good(value := element.get(name)):
            return RejectedRecord(reason, position, name, _printable(as_text(value)))
    return None


def _is_sid(value: Any) -> bool:  # noqa: ANN401  any JSON
    if not isinstance(value, str) or not _SID.fullmatch(value):
        return False
    digits = value.removeprefix("-").lstrip("0") or "0"
    # 64 bits have 19 digits; int() refuses a text of thousands
    return len(digits) <= 19 and -(2**63) <= int(value[:1].strip("0123456789") + digits) < 2**63


def _printable(text: str | None) -> str | None:
    return None if text is None else SURROGATE.sub("\ufffd", text[:_MOST_VALUE])
