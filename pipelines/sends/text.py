"""What the bytes of a text file say: its encoding, and whether every reader sees the same in it."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path

UTF_8 = "utf-8-sig"
"""With a byte-order mark or without."""
_BLOCK_BYTES = 1 << 20


class UnreadableError(ValueError):
    """No row can be taken from a file; the message goes on from the file's name."""


def encoding_of(path: Path) -> str:
    """UTF-8, else GB18030. Raises UnreadableError where it is neither."""
    for encoding in (UTF_8, "gb18030"):
        try:
            # no character of either encoding has bytes on both sides of a line feed
            for block in _blocks(path):
                if not block.isascii():
                    block.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise UnreadableError("is neither UTF-8 nor GB18030; save it again as UTF-8")


def is_unambiguous(path: Path, *, quotes: bool) -> bool:
    """Whether every reader sees the same lines, and the same fields if there are ``quotes``.

    Readers differ over a NUL, a lone carriage return, an empty first line, blanks around quotes.
    """
    with path.open("rb") as file:
        if not file.readline(_BLOCK_BYTES).removeprefix(BOM_UTF8).strip():
            return False
    return not any(
        b"\0" in block
        or b"\x01" in block
        or block.count(b"\r") != block.count(b"\r\n")
        or (quotes and (b' "' in block or b'" ' in block))
        for block in _blocks(path)
    )


def _blocks(path: Path) -> Iterator[bytes]:
    """Whole lines, about a megabyte at a time."""
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block + file.readline()
