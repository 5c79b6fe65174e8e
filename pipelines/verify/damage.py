"""Elements of a damaged array that can still be read."""

import json
import re
from typing import Any

MOST_LEVELS = 100
"""What is nested deeper counts as damaged."""

_SEPARATORS = re.compile(r"[ \t\r\n,]*")
_CLOSING = re.compile(r"[ \t\r\n,]*\][ \t\r\n]*")
_BLANK = re.compile(r"[ \t\r\n]*")
_RECORD = re.compile(r"\{\s*\"")
_MOST_TRIES = 1_000


class Damaged(str):
    """One stretch of an array that cannot be read."""

    __slots__ = ()


def lies_within(value: Any, levels: int) -> bool:  # noqa: ANN401  any JSON
    """Tell whether arrays and objects lie in each other at most so many levels deep."""
    layer = [value] if isinstance(value, dict | list) else []
    while layer and levels >= 0:
        levels -= 1
        layer = [
            part
            for one in layer
            for part in (one.values() if one.__class__ is dict else one)
            if part.__class__ is dict or part.__class__ is list
        ]
    return levels >= 0


def salvage(text: str, decoder: json.JSONDecoder) -> list[Any]:
    """Read the array that ``text`` begins, Damaged for each stretch between its elements.

    Separators too many or too few lose nothing. An array that ends before its bracket lacks what
    followed.
    """
    array = _Array(text, decoder)
    elements: list[Any] = []
    while array.more:
        elements += array.next()
    if array.rest.strip():
        elements.append(Damaged(array.rest))
    elif not array.closed and not any(isinstance(one, Damaged) for one in elements):
        elements.append(Damaged())
    return elements


class _Array:
    """A cursor in the text of an array, behind its opening bracket."""

    def __init__(self, text: str, decoder: json.JSONDecoder) -> None:
        self._text = text
        self._decoder = decoder
        self._at = 1
        self.closed = False
        self._tries = _MOST_TRIES

    @property
    def more(self) -> bool:
        """Whether the array goes on."""
        return not self.closed and self._at < len(self._text)

    @property
    def rest(self) -> str:
        """What stands behind the array."""
        return self._text[self._at :]

    def next(self) -> list[Any]:
        """Return the element at the cursor, Damaged, or nothing where there are separators only."""
        element, end = self._element(self._behind_blanks(self._at))
        if not isinstance(element, Damaged):
            self._pass_separator(self._behind_blanks(end))
            return [element]
        begin, self._at = self._at, self._next_record()
        stretch = self._text[begin : self._at]
        self.closed = self._at == len(self._text) and _CLOSING.fullmatch(stretch) is not None
        lossless = self.closed or _SEPARATORS.fullmatch(stretch)
        return [] if lossless else [Damaged(stretch)]

    def _element(self, at: int) -> tuple[Any, int]:
        try:
            element, end = self._decoder.raw_decode(self._text, at)
        except (ValueError, RecursionError):
            return Damaged(), at
        return (element, end) if lies_within(element, MOST_LEVELS - 1) else (Damaged(), at)

    def _behind_blanks(self, at: int) -> int:
        match = _BLANK.match(self._text, at)
        return match.end() if match else at

    def _pass_separator(self, at: int) -> None:
        """Go behind a comma; a bracket closes the array only if no record follows it."""
        mark = self._text[at : at + 1]
        self.closed = mark == "]" and _RECORD.search(self._text, at) is None
        self._at = at + 1 if self.closed or mark == "," else at

    def _next_record(self) -> int:
        """Find where a whole record with a sid begins; the end where none does."""
        for start in _RECORD.finditer(self._text, self._at + 1):
            if self._tries == 0:
                break
            element, _ = self._element(start.start())
            if isinstance(element, dict) and "sid" in element:
                return start.start()
            # bounds the work on garbage
            self._tries -= 1
        return len(self._text)
