"""Elements of a damaged array that can still be read."""

import json
import re
from dataclasses import dataclass
from typing import Any

from pipelines.decode.json_text import MOST_LEVELS, decoder, refuse_depth

_NEXT_RECORD = re.compile(r"\{\s*\"")
_SEPARATORS = re.compile(r"[, \t\r\n]*")
_END = re.compile(r"[, \t\r\n]*\][ \t\r\n]*")
_MOST_RESTARTS = 1_000
"""Bounds the work on garbage."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A stretch of text between readable elements."""

    text: str


def salvage(text: str) -> tuple[str, list[Any]]:
    """Decoding and elements of the damaged array that ``text`` begins, Damaged in between.

    Commas too many or too few cost nothing: no Damaged stands for them.
    """
    reader = decoder(strict=False)
    elements: list[Any] = []
    at, budget, closed = 1, _MOST_RESTARTS, False
    while at < len(text) and not closed:
        try:
            element, at = _read_element(reader, text, at)
            elements.append(element)
            at, closed = _separator(text, at)
        except (ValueError, RecursionError):
            resume, budget = _restart(text, at, reader, budget)
            stretch, at = text[at:resume], resume
            closed = at == len(text) and _END.fullmatch(stretch) is not None
            if not closed and not _SEPARATORS.fullmatch(stretch):
                elements.append(Damaged(stretch))
    if text[at:].strip():
        elements.append(Damaged(text[at:]))
    if not closed and not any(isinstance(element, Damaged) for element in elements):
        # cut off between two elements: what followed is missing
        elements.append(Damaged(""))
    lost = bool(elements) and all(isinstance(element, Damaged) for element in elements)
    return ("failed" if lost else "salvaged"), elements


def _read_element(reader: json.JSONDecoder, text: str, at: int) -> tuple[Any, int]:
    """Element of an array at a position, and where it ends; ValueError if there is none."""
    element, end = reader.raw_decode(text, _skip_blank(text, at))
    refuse_depth(element, MOST_LEVELS - 1)
    return element, end


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


def _restart(text: str, at: int, reader: json.JSONDecoder, budget: int) -> tuple[int, int]:
    """Where the next readable record begins after the damage at ``at``, the end if none does.

    ``budget`` bounds the work on garbage; what is left of it is returned.
    """
    for candidate in _NEXT_RECORD.finditer(text, at + 1):
        if budget <= 0:
            break
        try:
            element, _ = _read_element(reader, text, candidate.start())
            if "sid" in element:
                return candidate.start(), budget
        except (ValueError, RecursionError):
            pass
        budget -= 1
    return len(text), budget
