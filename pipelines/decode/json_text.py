"""JSON as RFC 8259 has it, read without losing a digit, and written the same way.

Numbers stay the text they were sent as. Where a name stands twice in an object the first counts, as
in DuckDB's reader.
"""

import json
import re
from typing import Any

MOST_LEVELS = 100
"""What is nested deeper is taken for damaged; the parser itself gives up near 1000."""

SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a pair: no character, though JSON can write it."""


class Number(str):
    """Text of a JSON number, digit for digit as it was sent."""

    __slots__ = ()


def decoder(*, strict: bool) -> json.JSONDecoder:
    """A reader; one that is not ``strict`` puts up with raw control characters in texts."""
    return json.JSONDecoder(
        object_pairs_hook=_first_of_each_name,
        parse_int=lambda digits: Number("0" if digits == "-0" else digits),
        parse_float=Number,
        parse_constant=_no_constant,
        strict=strict,
    )


def _first_of_each_name(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        members.setdefault(name, value)
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def parse(text: str, *, strict: bool = True) -> tuple[Any] | None:
    """The JSON value in a tuple, or None where the text is none."""
    try:
        value = decoder(strict=strict).decode(text)
        refuse_depth(value, MOST_LEVELS)
    except (ValueError, RecursionError):
        return None
    return (value,)


def refuse_depth(value: Any, levels: int) -> None:  # noqa: ANN401  any JSON
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


def write(value: Any) -> str:  # noqa: ANN401  any JSON
    """JSON text of a value; parsing has bounded its depth."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{write(key)}:{write(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    if isinstance(value, Number):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def as_text(value: Any) -> str | None:  # noqa: ANN401  any JSON
    """A JSON value as the text it is stored as; null stays null, half a pair is replaced."""
    if value is None:
        return None
    return SURROGATE.sub("\ufffd", str(value) if isinstance(value, str) else write(value))
