"""A pushed body to the elements of its array, by the ladder of the provider's page.

The form is split, its value form-decoded once, twice, three times until it is JSON. What is
none is read tolerantly (bytes that are not UTF-8, raw control characters), then salvaged.
"""

import json
import re
from binascii import a2b_qp
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from pipelines.verify.damage import MOST_LEVELS, Damaged, lies_within, salvage

DECODINGS = ("once", "twice", "thrice", "salvaged", "failed")
"""From best to worst; a push with several values has the worst."""
NO_JSON = object()
"""What is returned for a text that is not JSON."""
SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a pair: JSON can write it, but it is no character."""

_DEPTHS = DECODINGS[:3]
_PARAMETER = b"sms_status"
_PAIR = re.compile(rb"([^&=]*)=?([^&]*)")
_STRAY_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_LOST_PLUS = re.compile(r" [0-9]+")
_BEFORE_JSON = "\ufeff \t\r\n"
_LONGEST_INT = 20


class Written(str):
    """JSON text that is kept as it was written, such as a number."""

    __slots__ = ()


class RestoredPlus(str):
    """A mobile that has its plus sign again."""

    __slots__ = ()


@dataclass(slots=True)
class Form:
    """What one body holds."""

    decoding: str = "failed"
    elements: list[Any] = field(default_factory=list)
    """Elements of all arrays in it; Damaged for a stretch that cannot be read."""
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Reason and text for each value that is no array."""


class _Reading(NamedTuple):
    """What a value says, and the decoding at which it says so."""

    parsed: Any
    depth: int
    decoding: str
    text: str


def read_form(body: bytes) -> Form:
    """Take a body apart. Never raises on any bytes."""
    form = Form()
    decodings = [_read_value(value, form) for value in _values(body)]
    form.decoding = max(decodings, key=DECODINGS.index, default="failed")
    if not decodings:
        # a push without a value is one that cannot be decoded: received, and rejected
        form.faults.append(("not_json", body.decode("utf-8", "replace")))
    return form


def read_json(text: str, *, strict: bool = True) -> Any:  # noqa: ANN401  any JSON
    """Read JSON, or return NO_JSON; not ``strict`` allows raw control characters in texts."""
    try:
        value = (_STRICT if strict else _TOLERANT).decode(text)
    except (ValueError, RecursionError):
        return NO_JSON
    return value if lies_within(value, MOST_LEVELS) else NO_JSON


def form_decode(data: bytes, plus: bytes = b" ") -> bytes:
    """Undo one application/x-www-form-urlencoded encoding; a plus sign is a blank."""
    data = data.replace(b"+", plus)
    if b"%" not in data or _STRAY_PERCENT.search(data):
        return unquote_to_bytes(data)
    # quoted-printable is the same with another sign, and decoded in C
    return a2b_qp(data.replace(b"=", b"=3D").replace(b"%", b"="))


def _values(body: bytes) -> Iterator[bytes]:
    """Yield each value of the parameter."""
    for pair in _PAIR.finditer(body):
        name, value = pair.groups()
        if form_decode(name) == _PARAMETER:
            # JSON that was not encoded may hold an ampersand in a text
            if value.lstrip().startswith(b"[") and _whole_json(value) is None:
                yield body[pair.start(2) :]
                return
            yield value


def _read_value(value: bytes, form: Form) -> str:
    """Add elements, or the reason why there are none; return the decoding."""
    reading = _whole_json(value) or _remains(value)
    if reading is None:
        form.faults.append(("not_json", form_decode(value).decode("utf-8", "replace")))
        return "failed"
    if not isinstance(reading.parsed, list):
        form.faults.append(("not_an_array", reading.text))
        return "failed"
    _restore_plus(reading, value)
    form.elements += reading.parsed
    return reading.decoding


def _whole_json(value: bytes) -> _Reading | None:
    """Read what the value is as JSON; None where it is damaged."""
    layer = value
    for depth, decoding in enumerate(_DEPTHS):
        layer = form_decode(layer)
        try:
            text = layer.decode()
        except UnicodeDecodeError:
            continue
        parsed = read_json(text)
        if parsed is not NO_JSON:
            lost = "\\u" in text and _replace_surrogates(parsed)
            return _Reading(parsed, depth, "salvaged" if lost else decoding, text)
    for depth, text in enumerate(_texts(value)):
        text = text.lstrip("\ufeff")
        parsed = read_json(text, strict=False)
        if parsed is not NO_JSON:
            _replace_surrogates(parsed)
            return _Reading(parsed, depth, "salvaged", text)
    return None


def _remains(value: bytes) -> _Reading | None:
    """Read what is left of the first layer that begins an array."""
    for depth, text in enumerate(_texts(value)):
        text = text.lstrip(_BEFORE_JSON)
        if text.startswith("["):
            elements = salvage(text, _TOLERANT)
            _replace_surrogates(elements)
            lost = elements and all(isinstance(element, Damaged) for element in elements)
            return _Reading(elements, depth, "failed" if lost else "salvaged", text)
    return None


def _texts(value: bytes, plus: bytes = b" ") -> Iterator[str]:
    """Yield the text of each layer, with a sign for each byte that is not UTF-8."""
    for _ in _DEPTHS:
        value = form_decode(value, plus)
        yield value.decode("utf-8", "replace")


def _restore_plus(reading: _Reading, value: bytes) -> None:
    """Give mobiles the plus back that a decoding made a blank of; what was a blank stays one.

    Which blank was one shows when a plus becomes a tab: the same to JSON, but not in a text.
    """
    if not any(map(_lost_plus, reading.parsed)):
        return
    text = list(_texts(value, plus=b"\t"))[reading.depth]
    tabbed = salvage(text.lstrip(_BEFORE_JSON), _TOLERANT)
    for element, twin in zip(reading.parsed, tabbed, strict=False):
        if _lost_plus(element) and twin["mobile"][:1] == "\t":
            element["mobile"] = RestoredPlus("+" + element["mobile"][1:])


def _lost_plus(element: Any) -> bool:  # noqa: ANN401  any JSON
    mobile = element.get("mobile") if element.__class__ is dict else None
    return mobile.__class__ is str and mobile[:1] == " " and bool(_LOST_PLUS.fullmatch(mobile))


def _replace_surrogates(elements: Any) -> bool:  # noqa: ANN401  any JSON
    """Put a character for each half of a pair; tell whether a record's text had one."""
    replaced = False
    for record in elements if isinstance(elements, list) else ():
        for name, value in record.items() if isinstance(record, dict) else ():
            if isinstance(value, str) and SURROGATE.search(value):
                record[name] = SURROGATE.sub("\ufffd", value)
                replaced = True
    return replaced


def _first_counts(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; where a name stands twice the first counts."""
    members = dict(pairs)
    return members if len(members) == len(pairs) else members | dict(reversed(pairs))


def _whole(digits: str) -> int | Written:
    # int() refuses thousands of digits, and no sid has so many
    return int(digits) if len(digits) <= _LONGEST_INT else Written(digits)


_STRICT, _TOLERANT = (
    json.JSONDecoder(
        object_pairs_hook=_first_counts,
        parse_int=_whole,
        parse_float=Written,
        # raises ValueError on NaN and Infinity, which are no JSON
        parse_constant=int,
        strict=strict,
    )
    for strict in (True, False)
)
