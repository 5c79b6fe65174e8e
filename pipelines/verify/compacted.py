"""Compressed landed files: the lines of their gzip members, up to the first that is damaged."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_BLOCK_BYTES = 1 << 18
_GZIP = 31
"""zlib's word for a gzip header, and length and checksum at the end."""
_FLAGS, _FIXED_BYTES = 3, 10
_HAS_EXTRA, _HAS_NAME = 4, 8


class _Stream:
    """The members of a gzip file, one behind the other."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._ahead = b""
        self.sound = 0
        """Members that were read to their end."""
        self.damaged = False
        self.name = ""
        """Landed file that the member at hand was, without its folder."""

    def read(self, members: int | None = None) -> Iterator[bytes]:
        """Yield decompressed stretches until the end, the damage, or so many members."""
        while members is None or self.sound < members:
            self._ahead = self._ahead or self._file.read(_BLOCK_BYTES)
            if not self._ahead:
                return
            self.name = _name(self._ahead)
            yield from self._member()
            if self.damaged:
                return
            self.sound += 1

    def _member(self) -> Iterator[bytes]:
        inflater = zlib.decompressobj(_GZIP)
        while not inflater.eof and self._ahead:
            try:
                yield inflater.decompress(self._ahead)
            except zlib.error:
                break
            self._ahead = inflater.unused_data if inflater.eof else self._file.read(_BLOCK_BYTES)
        self.damaged = not inflater.eof


def _name(header: bytes) -> str:
    """Return the file name in a gzip header (RFC 1952, FNAME)."""
    flags = header[_FLAGS : _FLAGS + 1]
    named = flags and flags[0] & (_HAS_NAME | _HAS_EXTRA) == _HAS_NAME
    return header[_FIXED_BYTES:].partition(b"\0")[0].decode("latin-1") if named else ""


def sound_members(path: Path) -> tuple[int, bool]:
    """Count the members before the first damaged one; says whether one is damaged."""
    with path.open("rb") as file:
        stream = _Stream(file)
        for _ in stream.read():
            pass
    return stream.sound, stream.damaged


def compressed_lines(file: BinaryIO, members: int) -> Iterator[tuple[str, bytes]]:
    """Yield name of the landed file and line, newline included; the end of a member ends a line."""
    stream, rest, name, member = _Stream(file), b"", "", 0
    for stretch in stream.read(members):
        if stream.sound != member and rest:
            yield name, rest
            rest = b""
        name, member = stream.name, stream.sound
        *lines, rest = (rest + stretch).split(b"\n")
        for line in lines:
            yield name, line + b"\n"
    if rest:
        yield name, rest
