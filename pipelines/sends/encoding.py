"""What can be said of a text file from its bytes: its encoding, and whether it is plain."""

import re
from collections.abc import Iterator
from pathlib import Path

_CHUNK_BYTES = 1 << 20
_BEFORE_FIELD = b",;\t\n\r"
_QUOTE_BEFORE_BLANK = re.compile(rb'" +(?:[,;\t\r\n]|$)')


def encoding_of(path: Path) -> str | None:
    """UTF-8, with a byte-order mark or without, else GB18030; None where it is neither."""
    return next((name for name in ("utf-8-sig", "gb18030") if _decodes(path, name)), None)


def _decodes(path: Path, encoding: str) -> bool:
    try:
        # no character of either encoding lies on both sides of a line feed
        for chunk in _chunks(path):
            if not chunk.isascii():
                chunk.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def is_plain(path: Path, *, quotes: bool) -> bool:
    """Whether every reader sees the same lines, and the same fields if there are ``quotes``.

    Not so with a NUL, a lone carriage return, an empty first line, blanks around quotes.
    """
    for number, chunk in enumerate(_chunks(path)):
        if b"\0" in chunk or b"\x01" in chunk or chunk.count(b"\r") != chunk.count(b"\r\n"):
            return False
        if number == 0 and not chunk.split(b"\n", 1)[0].strip():
            return False
        if quotes and b'"' in chunk and _has_odd_quote(chunk):
            return False
    return True


def _has_odd_quote(chunk: bytes) -> bool:
    """Whether a field begins with blanks and a quote, or ends with a quote and blanks."""
    for found in re.finditer(rb' "', chunk):
        before = chunk[max(0, found.start() - 64) : found.start() + 1].rstrip(b" ")
        if not before or before[-1] in _BEFORE_FIELD:
            return True
    return _QUOTE_BEFORE_BLANK.search(chunk) is not None


def _chunks(path: Path) -> Iterator[bytes]:
    """Pieces of whole lines."""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk + file.readline()
