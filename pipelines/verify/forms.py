"""A pushed body to the elements of its array, by the ladder of the provider's page.

The form is split, its value form-decoded once, twice, three times until it is JSON. What is
none is read tolerantly (bytes that are not UTF-8, raw control characters), then salvaged.
"""

import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipelines.verify.damage import MOST_LEVELS, lies_within, salvage

DECODINGS = ("once", "twice", "thrice", "salvaged", "failed")
"""From best to worst; a push with several values has the worst."""

_DEPTHS = DECODINGS[:3]
_PARAMETER = b"sms_status"
_STRAY_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_INT = 20
NO_JSON = object()
"""What is returned for a text that is none."""


class Written(str):
    """JSON text that is kept as it was written, such as a number."""

    __slots__ = ()


@dataclass(slots=True)
class Form:
    """What one body holds."""

    decoding: str = "once"
    elements: list[Any] = field(default_factory=list)
    """Elements of all arrays in it; DAMAGED for a stretch that cannot be read."""
    faults: list[str] = field(default_factory=list)
    """Reason for each value that is no array."""


def read_form(body: bytes) -> Form:
    """Take a body apart. Never raises on any bytes."""
    form = Form()
    found = False
    for value in _values(body):
        found = True
        decoding, result = _read_value(value)
        form.decoding = max(form.decoding, decoding, key=DECODINGS.index)
        if isinstance(result, str):
            form.faults.append(result)
        else:
            form.elements += result
    # a push without a value is one that cannot be decoded: received, and rejected
    return form if found else Form("failed", faults=["not_json"])


def read_json(text: str) -> Any:  # noqa: ANN401  any JSON
    """Read JSON as strictly as a pushed value; NO_JSON where it is none."""
    return _parsed(text, _STRICT)


def form_decode(data: bytes) -> bytes:
    """Undo one application/x-www-form-urlencoded encoding."""
    data = data.replace(b"+", b" ")
    if b"%" not in data:
        return data
    if _STRAY_PERCENT.search(data):
        head, *rest = data.split(b"%")
        return head + b"".join(map(_unescaped, rest))
    # quoted-printable is the same with another sign, and decoded in C
    return binascii.a2b_qp(data.replace(b"=", b"=3D").replace(b"%", b"="))


def _unescaped(part: bytes) -> bytes:
    """Undo one percent sign: two digits of a byte follow, or it stands for itself."""
    try:
        return binascii.unhexlify(part[:2]) + part[2:] if len(part) >= 2 else b"%" + part
    except binascii.Error:
        return b"%" + part


def _values(body: bytes) -> Iterator[bytes]:
    """Yield each value of the parameter."""
    at = 0
    while at <= len(body):
        end = body.find(b"&", at)
        end = len(body) if end < 0 else end
        name, _, value = body[at:end].partition(b"=")
        if form_decode(name) == _PARAMETER:
            if _goes_on(value):
                yield body[at + len(name) + 1 :]
                return
            yield value
        at = end + 1


def _goes_on(value: bytes) -> bool:
    """Tell whether this is JSON that was not encoded, the ampersand behind it part of a text."""
    return value.lstrip().startswith(b"[") and _whole_json(value)[0] is NO_JSON


def _read_value(value: bytes) -> tuple[str, list[Any] | str]:
    """Return decoding and elements, or decoding and the reason why there are none."""
    parsed, decoding = _whole_json(value)
    if parsed is not NO_JSON:
        return _array(parsed, decoding)
    return _read_damaged(list(_texts(value)))


def _whole_json(value: bytes) -> tuple[Any, str]:
    """Return what the value is as JSON and how it was decoded; NO_JSON where it is damaged."""
    layer = value
    for depth in _DEPTHS:
        layer = form_decode(layer)
        parsed = _strict(layer)
        if parsed is not NO_JSON:
            lost = b"\\u" in layer and _replace_surrogates(parsed)
            return parsed, "salvaged" if lost else depth
    for text in _texts(value):
        parsed = _parsed(text, _TOLERANT)
        if parsed is not NO_JSON:
            _replace_surrogates(parsed)
            return parsed, "salvaged"
    return NO_JSON, "failed"


def _texts(value: bytes) -> Iterator[str]:
    """Yield the text of each layer, with a sign for each byte that is not UTF-8."""
    for _ in _DEPTHS:
        value = form_decode(value)
        yield value.decode("utf-8", "replace").lstrip("\ufeff")


def _read_damaged(texts: list[str]) -> tuple[str, list[Any] | str]:
    for text in texts:
        trimmed = text.lstrip("\ufeff \t\r\n")
        if trimmed.startswith("["):
            elements, readable = salvage(trimmed, _TOLERANT)
            _replace_surrogates(elements)
            return ("salvaged" if readable else "failed"), elements
    return "failed", "not_json"


def _array(parsed: Any, decoding: str) -> tuple[str, list[Any] | str]:  # noqa: ANN401  any JSON
    return (decoding, parsed) if isinstance(parsed, list) else ("failed", "not_an_array")


def _strict(data: bytes) -> Any:  # noqa: ANN401  any JSON
    try:
        return _parsed(data.decode(), _STRICT)
    except UnicodeDecodeError:
        return NO_JSON


def _parsed(text: str, decoder: json.JSONDecoder) -> Any:  # noqa: ANN401  any JSON
    try:
        parsed = decoder.decode(text)
    except (ValueError, RecursionError):
        return NO_JSON
    return parsed if lies_within(parsed, MOST_LEVELS) else NO_JSON


def _replace_surrogates(elements: Any) -> bool:  # noqa: ANN401  any JSON
    """Put a character for each half of a pair; tell whether a record's text had one."""
    found = False
    for record in elements if isinstance(elements, list) else ():
        for name, value in record.items() if isinstance(record, dict) else ():
            if isinstance(value, str) and _SURROGATE.search(value):
                record[name] = _SURROGATE.sub("\ufffd", value)
                found = True
    return found


def _first_counts(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; where a name stands twice the first counts."""
    members = dict(pairs)
    if len(members) != len(pairs):
        members.clear()
        for name, value in pairs:
            members.setdefault(name, value)
    return members


def _whole(digits: str) -> int | Written:
    # int() refuses thousands of digits, and no sid has so many
    return int(digits) if len(digits) <= _LONGEST_INT else Written(digits)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _decoder(*, strict: bool) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_first_counts,
        parse_int=_whole,
        parse_float=Written,
        parse_constant=_no_number,
        strict=strict,
    )


_STRICT = _decoder(strict=True)
_TOLERANT = _decoder(strict=False)
