"""The careful path: takes one push apart that SQL cannot take apart with certainty.

It is the reference for what a push means; ``warehouse/raw/plain_records.sql`` does the same for
the plain ones at the speed of the database engine. Source of the rules: the provider's page and
receivers in public code, see ``README.md`` of this room.

1.  The form is split at ``&``; each ``sms_status`` in it is a value.
2.  The value is form-decoded once; if that is JSON, stop; else again, at most twice more.
3.  If none is JSON: the same with what is often broken put up with (bytes that are not UTF-8,
    raw control characters), and at last whatever elements of a damaged array can be read.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import unquote_to_bytes

PARAMETER = b"sms_status"
DEPTHS = ("once", "twice", "thrice")
FIELDS = {
    "uid": "uid",
    "mobile": "mobile",
    "report_status": "report_status",
    "user_receive_time": "handset_time_raw",
    "error_msg": "error_code",
    "error_detail": "error_detail",
}
"""Fields of a record as the provider names them, and the columns they become."""

_SID = re.compile(r"-?[0-9]+")
_LOST_PLUS = re.compile(r" [0-9]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NEXT_RECORD = re.compile(r"\{\s*\"")
_MOST_VALUE = 1_000
_MOST_RESTARTS = 1_000
_MOST_LEVELS = 100
"""An array nested deeper than this is taken for damaged; the parser itself gives up near 1000."""


class Reason(StrEnum):
    """Why a record, or a whole push, could not be taken. The value is the slug in the tables."""

    NOT_AN_OBJECT = "not_an_object"
    BAD_SID = "bad_sid"
    BAD_REPORT_STATUS = "bad_report_status"
    NOT_JSON = "not_json"
    NOT_AN_ARRAY = "not_an_array"
    DAMAGED_JSON = "damaged_json"

    @property
    def sentence(self) -> str:
        """The reason in words, for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.NOT_AN_OBJECT: "The element is no JSON object.",
    Reason.BAD_SID: "sid is missing, or is no whole 64-bit number.",
    Reason.BAD_REPORT_STATUS: "report_status is neither SUCCESS nor FAIL.",
    Reason.NOT_JSON: "The value is no JSON, not even after three decodings.",
    Reason.NOT_AN_ARRAY: "The value is JSON, but no array.",
    Reason.DAMAGED_JSON: "This stretch of the array is damaged and cannot be read.",
}


class _Number(str):
    """Text of a JSON number, digit for digit as it was sent."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """What could not be taken: where it lies, which field is wrong, what stands there."""

    reason: Reason
    position: int | None = None
    field: str | None = None
    value: str | None = None


@dataclass(slots=True)
class Decoded:
    """One push, taken apart: every record is in ``records`` or in ``rejects``."""

    decoding: str
    records: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    repaired_mobiles: int = 0


@dataclass(frozen=True, slots=True)
class _Damaged:
    """A stretch of text between readable elements."""

    text: str


def decode_push(body: bytes) -> Decoded:
    """Take one landed body apart. Never raises on any bytes."""
    decodings: list[str] = []
    elements: list[Any] = []
    rejects: list[Reject] = []
    for value in _values(body):
        decoding, result = _decode_value(value)
        decodings.append(decoding)
        if isinstance(result, Reject):
            rejects.append(result)
        else:
            elements += result
    if not decodings:
        # landed by hand: the receiver takes no push without the parameter
        rejects.append(Reject(Reason.NOT_JSON, value=_printable(body.decode("utf-8", "replace"))))
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
    """Whether this is unencoded JSON that ends too early: a text in it holds an ampersand."""
    if not value.lstrip().startswith(b"["):
        return False
    text = _utf8(next(_layers(value)))
    return text is None or _parse(text) is None


def _decode_value(value: bytes) -> tuple[str, list[Any] | Reject]:
    layers = list(_layers(value))
    for depth, layer in zip(DEPTHS, layers, strict=True):
        text = _utf8(layer)
        if text is not None and (parsed := _parse(text)) is not None:
            lost = any(_SURROGATE.search(part) for part in _strings(parsed[0]))
            return _array("salvaged" if lost else depth, parsed[0], text)
    for layer in layers:
        text = layer.decode("utf-8", "replace").lstrip("\ufeff")
        if (parsed := _parse(text, strict=False)) is not None:
            return _array("salvaged", parsed[0], text)
    for layer in layers:
        text = layer.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
        if text.startswith("["):
            return _salvage(text)
    return "failed", Reject(Reason.NOT_JSON, value=_printable(layers[0].decode("utf-8", "replace")))


def _layers(value: bytes) -> Iterator[bytes]:
    """The value, form-decoded once, twice and three times."""
    for _ in DEPTHS:
        value = unquote_to_bytes(value.replace(b"+", b" "))
        yield value


def _utf8(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _array(decoding: str, parsed: Any, text: str) -> tuple[str, list[Any] | Reject]:  # noqa: ANN401  any JSON
    if isinstance(parsed, list):
        return decoding, parsed
    return "failed", Reject(Reason.NOT_AN_ARRAY, value=_printable(text))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _first_of_each_name(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        members.setdefault(name, value)
    return members


def _decoder(*, strict: bool) -> json.JSONDecoder:
    """JSON as RFC 8259 has it; where a name stands twice the first counts, as in DuckDB."""
    return json.JSONDecoder(
        object_pairs_hook=_first_of_each_name,
        parse_int=lambda digits: _Number("0" if digits == "-0" else digits),
        parse_float=_Number,
        parse_constant=_no_constant,
        strict=strict,
    )


def _parse(text: str, *, strict: bool = True) -> tuple[Any] | None:
    """The JSON value in a tuple, or None where the text is none."""
    try:
        value = _decoder(strict=strict).decode(text)
        _refuse_depth(value, _MOST_LEVELS)
    except (ValueError, RecursionError):
        return None
    return (value,)


def _read_element(decoder: json.JSONDecoder, text: str, at: int) -> tuple[Any, int]:
    """Element of an array at a position, and where it ends; ValueError if there is none."""
    element, end = decoder.raw_decode(text, _skip_blank(text, at))
    _refuse_depth(element, _MOST_LEVELS - 1)
    return element, end


def _refuse_depth(value: Any, levels: int) -> None:  # noqa: ANN401  any JSON
    """Raise ValueError where arrays and objects lie in each other more than ``levels`` deep."""
    layer = [value]
    for _ in range(levels):
        layer = [
            part
            for one in layer
            if isinstance(one, (list, dict))
            for part in (one.values() if isinstance(one, dict) else one)
        ]
    if any(isinstance(one, (list, dict)) for one in layer):
        raise ValueError(f"nested more than {levels} levels deep")


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401  any JSON
    """Texts of all fields of all records."""
    for element in value if isinstance(value, list) else ():
        if isinstance(element, dict):
            yield from (part for part in element.values() if isinstance(part, str))


def _salvage(text: str) -> tuple[str, list[Any]]:
    """Elements of a damaged array that can be read; every stretch between them is one reject."""
    decoder = _decoder(strict=False)
    elements: list[Any] = []
    at, budget, closed = 1, _MOST_RESTARTS, False
    while at < len(text) and not closed:
        try:
            element, at = _read_element(decoder, text, at)
            elements.append(element)
            at, closed = _separator(text, at)
        except (ValueError, RecursionError):
            resume, budget = _restart(text, at, decoder, budget)
            elements.append(_Damaged(text[at:resume]))
            at = resume
    if text[at:].strip():
        elements.append(_Damaged(text[at:]))
    if not any(isinstance(element, _Damaged) for element in elements):
        # cut off between two elements: what followed is missing
        elements.append(_Damaged(""))
    readable = any(not isinstance(element, _Damaged) for element in elements)
    return ("salvaged" if readable else "failed"), elements


def _skip_blank(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _separator(text: str, at: int) -> tuple[int, bool]:
    """Position behind the separator that follows an element, and whether it closed the array."""
    at = _skip_blank(text, at)
    mark = text[at : at + 1]
    if mark == "]" and not _NEXT_RECORD.search(text, at):
        return at + 1, True
    return (at + 1 if mark == "," else at), False


def _restart(text: str, at: int, decoder: json.JSONDecoder, budget: int) -> tuple[int, int]:
    """Where the next readable record begins after the damage at ``at``, the end if none does.

    ``budget`` bounds the work on garbage; what is left of it is returned.
    """
    for candidate in _NEXT_RECORD.finditer(text, at + 1):
        if budget <= 0:
            break
        try:
            element, _ = _read_element(decoder, text, candidate.start())
            if "sid" in element:
                return candidate.start(), budget
        except (ValueError, RecursionError):
            pass
        budget -= 1
    return len(text), budget


def _take(element: Any, position: int, into: Decoded) -> None:  # noqa: ANN401  any JSON
    """Sort one element into records or rejects."""
    reject = _reject(element, position)
    if reject is not None:
        into.rejects.append(reject)
        return
    record = {column: _text(element.get(name)) for name, column in FIELDS.items()}
    mobile = record["mobile"]
    if mobile is not None and _LOST_PLUS.fullmatch(mobile):
        record["mobile"] = "+" + mobile[1:]
        into.repaired_mobiles += 1
    into.records.append({"sid": int(element["sid"]), "position": position, **record})


def _reject(element: Any, position: int) -> Reject | None:  # noqa: ANN401  any JSON
    if isinstance(element, _Damaged):
        return Reject(Reason.DAMAGED_JSON, position, value=_printable(element.text))
    if not isinstance(element, dict):
        return Reject(Reason.NOT_AN_OBJECT, position, value=_printable(_json(element)))
    for name, reason, good in (
        ("sid", Reason.BAD_SID, _is_sid),
        ("report_status", Reason.BAD_REPORT_STATUS, _is_status),
    ):
        if not good(element.get(name)):
            return Reject(reason, position, name, _printable(_text(element.get(name))))
    return None


def _is_sid(value: Any) -> bool:  # noqa: ANN401  any JSON
    if not isinstance(value, str) or not _SID.fullmatch(value):
        return False
    digits = value.removeprefix("-").lstrip("0") or "0"
    # 64 bits have 19 digits; int() refuses a text of thousands
    return len(digits) <= 19 and -(2**63) <= int(value[:1].strip("0123456789") + digits) < 2**63


def _is_status(value: Any) -> bool:  # noqa: ANN401  any JSON
    return isinstance(value, str) and value in ("SUCCESS", "FAIL")


def _text(value: Any) -> str | None:  # noqa: ANN401  any JSON
    """A JSON value as the text it is stored as; null stays null."""
    if value is None:
        return None
    return _SURROGATE.sub("\ufffd", str(value) if isinstance(value, str) else _json(value))


def _json(value: Any) -> str:  # noqa: ANN401  any JSON
    """JSON text, numbers digit for digit; parsing has bounded the depth."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, _Number):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _printable(text: str | None) -> str | None:
    return None if text is None else _SURROGATE.sub("\ufffd", text[:_MOST_VALUE])
