"""Compacted files: gzip with one member a landed file, which bears its name (RFC 1952, FNAME).

``zcat`` gives the landed files one after the other; the names keep everything known about them
true, without a list that could be lost.
"""

import re
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from gzip import GzipFile
from hashlib import sha256
from typing import BinaryIO, NamedTuple

SUFFIX = ".jsonl.gz"

_NAME = re.compile(r"[A-Za-z0-9._-]+\.jsonl")
_GZIP = 16 + zlib.MAX_WBITS
_BLOCK_BYTES = 1 << 16
_LEVEL = 6
_HEADER_BYTES, _LONGEST_HEADER_BYTES = 10, 1_024
_HAS_EXTRA, _HAS_NAME = 4, 8


class DamagedGzipError(ValueError):
    """A gzip file is damaged or truncated; the message says which."""


class Block(NamedTuple):
    """Some bytes of a member, decompressed."""

    name: str | None
    """Name of the landed file; None where the member bears none that could be one."""
    data: bytes
    last: bool
    """Whether the member ends here, intact."""


@dataclass(frozen=True, slots=True)
class Member:
    """An intact member of a gzip file."""

    name: str | None
    offset: int
    """Where it begins, in bytes of the decompressed text."""
    size: int
    """Bytes, decompressed."""
    sha256: str


def can_be_member(name: str) -> bool:
    """Whether a file name comes back from a gzip header as it went in."""
    return bool(_NAME.fullmatch(name)) and len(name) < _LONGEST_HEADER_BYTES - _HEADER_BYTES


def write_member(name: str, source: BinaryIO, target: BinaryIO) -> None:
    """Append a landed file to a compacted one."""
    with GzipFile(name, "wb", compresslevel=_LEVEL, fileobj=target, mtime=0) as member:
        shutil.copyfileobj(source, member, 16 * _BLOCK_BYTES)


def intact_members(file: BinaryIO) -> tuple[list[Member], str | None]:
    """Members before the first damaged one, and what is wrong with that one."""
    members: list[Member] = []
    try:
        members.extend(members_of(file))
    except DamagedGzipError as error:
        return members, str(error)
    return members, None


def members_of(file: BinaryIO) -> Iterator[Member]:
    """Yield the members of a gzip file; raises DamagedGzipError at one that is damaged."""
    offset, size, digest = 0, 0, sha256()
    for block in read_members(file):
        digest.update(block.data)
        size += len(block.data)
        if block.last:
            yield Member(block.name, offset, size, digest.hexdigest())
            offset, size, digest = offset + size, 0, sha256()


def read_members(file: BinaryIO, most: int | None = None) -> Iterator[Block]:
    """Yield what the first ``most`` members of a gzip file hold.

    Raises DamagedGzipError where a member is damaged; its length and checksum stand at its end,
    so some of its blocks may have been yielded by then.
    """
    number, waiting = 0, file.read(_BLOCK_BYTES)
    while waiting and number != most:
        if len(waiting) < _LONGEST_HEADER_BYTES:
            waiting += file.read(_BLOCK_BYTES)
        name, engine = _name(waiting), zlib.decompressobj(_GZIP)
        while not engine.eof:
            try:
                data = engine.decompress(waiting)
            except zlib.error as error:
                raise DamagedGzipError("is damaged gzip") from error
            yield Block(name, data, engine.eof)
            waiting = b"" if engine.eof else file.read(_BLOCK_BYTES)
            if not engine.eof and not waiting:
                raise DamagedGzipError("is truncated gzip")
        number, waiting = number + 1, engine.unused_data or file.read(_BLOCK_BYTES)


def _name(header: bytes) -> str | None:
    if len(header) < _HEADER_BYTES or header[3] & (_HAS_NAME | _HAS_EXTRA) != _HAS_NAME:
        return None
    end = header.find(b"\0", _HEADER_BYTES, _LONGEST_HEADER_BYTES)
    name = header[_HEADER_BYTES : max(end, _HEADER_BYTES)].decode("latin-1")
    return name if can_be_member(name) else None
