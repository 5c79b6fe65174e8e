"""Compressed landed files: their gzip members, each of which was a landed file."""

import zlib
from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO, NamedTuple

_BLOCK_BYTES = 1 << 15
_GZIP = 31
"""zlib's word for a gzip header, and length and checksum at the end."""
_LONGEST_HEADER_BYTES, _FLAGS, _FIXED_BYTES = 1_024, 3, 10
_HAS_EXTRA, _HAS_NAME = 4, 8


class DamagedMemberError(Exception):
    """A member is damaged or cut off, and what lies behind it cannot be found."""


class Member(NamedTuple):
    """An intact member, decompressed."""

    name: str
    """Landed file that it was, without its folder; empty where it bears no name."""
    offset: int
    """Where it begins in the decompressed text."""
    size: int
    digest: str
    lines: Iterator[bytes]
    """Newline included; the end of the member ends a line. Read from the file when asked for."""


def read_members(file: BinaryIO) -> Iterator[Member]:
    """Yield the members before the first damaged one, for which it raises DamagedMemberError."""
    start, offset = 0, 0
    while header := _read_at(file, start, _LONGEST_HEADER_BYTES):
        begin, digest, size = start, sha256(), 0
        # length and checksum stand at the end, so nothing is handed on before that was reached
        for text, end in _inflate(file, begin):
            digest.update(text)
            size += len(text)
            start = end
        yield Member(_name(header), offset, size, digest.hexdigest(), _lines(file, begin))
        offset += size


def _read_at(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size)


def _inflate(file: BinaryIO, start: int) -> Iterator[tuple[bytes, int]]:
    """Yield the text of the member that begins here, and how far in the file it reaches."""
    inflater = zlib.decompressobj(_GZIP)
    while not inflater.eof:
        block = _read_at(file, start, _BLOCK_BYTES)
        try:
            text = inflater.decompress(block)
        except zlib.error as error:
            raise DamagedMemberError from error
        if not block:
            raise DamagedMemberError
        start += len(block)
        yield text, start - len(inflater.unused_data)


def _lines(file: BinaryIO, start: int) -> Iterator[bytes]:
    rest = b""
    for text, _ in _inflate(file, start):
        *lines, rest = (rest + text).split(b"\n")
        for line in lines:
            yield line + b"\n"
    if rest:
        yield rest


def _name(header: bytes) -> str:
    """Return the file name in a gzip header (RFC 1952, FNAME)."""
    if header[_FLAGS] & (_HAS_NAME | _HAS_EXTRA) != _HAS_NAME:
        return ""
    return header[_FIXED_BYTES:].partition(b"\0")[0].decode("latin-1")
