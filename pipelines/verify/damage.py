"""Elements of a damaged array that can still be read."""

import json
import re
from collections.abc import Iterator
from typing import Any

MOST_LEVELS = 100
"""What is nested deeper counts as damaged."""

_SEPARATORS = re.compile(r"[ \t\r\n,]*")
_CLOSING = re.compile(r"[ \t\r\n,]*\][ \t\r\n]*")
_BLANKS = re.compile(r"[ \t\r\n]*")
_RECORD = re.compile(r"\{\s*\"")
_MOST_TRIES = 1_000
"""Bounds the work on garbage."""


class Damaged(str):
    """One stretch of an array that cannot be read."""

    __slots__ = ()


def lies_within(value: Any, levels: int) -> bool:  # noqa: ANN401  any JSON
    """Tell whether arrays and objects lie in each other at most so many levels deep."""
    layer = [value] if isinstance(value, dict | list) else []
    while layer and levels >= 0:
        levels -= 1
        layer = [
            item
            for nested in layer
            for item in (nested.values() if nested.__class__ is dict else nested)
            if item.__class__ is dict or item.__class__ is list
        ]
    return levels >= 0


def salvage(text: str, decoder: json.JSONDecoder) -> list[Any]:
    """Read the array that ``text`` begins, Damaged for each stretch between its elements.

    Separators too many or too few lose nothing. An array that ends before its bracket lacks what
    followed.
    """
    array = _Array(text, decoder)
    elements = list(array.elements())
    rest = text[array.at :]
    whole = array.closed or any(isinstance(element, Damaged) for element in elements)
    return elements if whole and not rest.strip() else [*elements, Damaged(rest)]


class _Array:
    """A cursor in the text of an array, behind its opening bracket."""

    def __init__(self, text: str, decoder: json.JSONDecoder) -> None:
        self._text, self._decoder = text, decoder
        self.at, self.closed, self._tries = 1, False, _MOST_TRIES

    def elements(self) -> Iterator[Any]:
        """Yield elements, and the stretches between them in which there is more than separators."""
        while not self.closed and self.at < len(self._text):
            element, end = self._element(self._behind_blanks(self.at))
            if not isinstance(element, Damaged):
                self._pass_separator(self._behind_blanks(end))
                yield element
                continue
            begin, self.at = self.at, self._next_record()
            stretch = self._text[begin : self.at]
            self.closed = self.at == len(self._text) and _CLOSING.fullmatch(stretch) is not None
            if not self.closed and not _SEPARATORS.fullmatch(stretch):
                yield Damaged(stretch)

    def _element(self, at: int) -> tuple[Any, int]:
        try:
            element, end = self._decoder.raw_decode(self._text, at)
        except (ValueError, RecursionError):
            return Damaged(), at
        return (element, end) if lies_within(element, MOST_LEVELS - 1) else (Damaged(), at)

    def _behind_blanks(self, at: int) -> int:
        match = _BLANKS.match(self._text, at)
        return match.end() if match else at

    def _pass_separator(self, at: int) -> None:
        """Go behind a comma; a bracket closes the array only if no record follows it."""
        mark = self._text[at : at + 1]
        self.closed = mark == "]" and _RECORD.search(self._text, at) is None
        self.at = at + 1 if self.closed or mark == "," else at

    def _next_record(self) -> int:
        """Find where a whole record with a sid begins; the end where none does."""
        for start in _RECORD.finditer(self._text, self.at + 1):
            if self._tries == 0:
                break
            element, _ = self._element(start.start())
            if isinstance(element, dict) and "sid" in element:
                return start.start()
            self._tries -= 1
        return len(self._text)
