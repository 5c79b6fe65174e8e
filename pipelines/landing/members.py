"""Compacted files: gzip with one member a landed file, which bears its name (RFC 1952, FNAME).

``zcat`` gives the landed files one behind the other; the names let everything that was known of
them stay true, without a list that could be lost.
"""

import re
import shutil
import zlib
from collections.abc import Iterator
from gzip import GzipFile
from typing import BinaryIO, NamedTuple

SUFFIX = ".jsonl.gz"

_NAME = re.compile(r"[A-Za-z0-9._-]+\.jsonl")
_GZIP = 16 + zlib.MAX_WBITS
_CHUNK_BYTES = 1 << 16
_LEVEL = 6
_HEADER_BYTES, _LONGEST_HEADER_BYTES = 10, 1_024
_HAS_EXTRA, _HAS_NAME = 4, 8


class DamagedGzipError(ValueError):
    """A gzip file is damaged or ends too early; the message says which."""

    def __init__(self, message: str, member: int) -> None:
        super().__init__(message)
        self.member = member
        """The member that is damaged, counted from 0."""


class Chunk(NamedTuple):
    """A stretch of what a member holds."""

    member: int
    """Counted from 0."""
    name: str | None
    """Name of the landed file; None where the member bears none that could be one."""
    data: bytes


def can_be_member(name: str) -> bool:
    """Whether a file name comes back from a gzip header as it went in."""
    return bool(_NAME.fullmatch(name)) and len(name) < _LONGEST_HEADER_BYTES - _HEADER_BYTES


def write_member(name: str, source: BinaryIO, target: BinaryIO) -> None:
    """Append a landed file to a compacted one."""
    with GzipFile(name, "wb", compresslevel=_LEVEL, fileobj=target, mtime=0) as member:
        shutil.copyfileobj(source, member, 16 * _CHUNK_BYTES)


def sound_members(file: BinaryIO) -> tuple[int, str | None]:
    """Count the members before the first damaged one; says what is wrong with that."""
    members = 0
    try:
        for chunk in read_members(file):
            members = chunk.member
    except DamagedGzipError as error:
        return error.member, str(error)
    return members + 1, None


def read_members(file: BinaryIO, most: int | None = None) -> Iterator[Chunk]:
    """Yield what the first ``most`` members of a gzip file hold, in stretches.

    Raises DamagedGzipError where a member is damaged; its length and checksum stand at its end,
    so a stretch of it may have been yielded by then.
    """
    number, waiting = 0, file.read(_CHUNK_BYTES)
    while waiting and number != most:
        if len(waiting) < _LONGEST_HEADER_BYTES:
            waiting += file.read(_CHUNK_BYTES)
        name, engine = _name(waiting), zlib.decompressobj(_GZIP)
        while not engine.eof:
            try:
                data = engine.decompress(waiting)
            except zlib.error as error:
                raise DamagedGzipError("is damaged", number) from error
            if data:
                yield Chunk(number, name, data)
            waiting = b"" if engine.eof else file.read(_CHUNK_BYTES)
            if not engine.eof and not waiting:
                raise DamagedGzipError("ends too early", number)
        number, waiting = number + 1, engine.unused_data or file.read(_CHUNK_BYTES)


def _name(header: bytes) -> str | None:
    if len(header) < _HEADER_BYTES or header[3] & (_HAS_NAME | _HAS_EXTRA) != _HAS_NAME:
        return None
    end = header.find(b"\0", _HEADER_BYTES, _LONGEST_HEADER_BYTES)
    name = header[_HEADER_BYTES : max(end, _HEADER_BYTES)].decode("latin-1")
    return name if can_be_member(name) else None
