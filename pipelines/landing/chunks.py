"""A landed file that is too large for one slice, or compressed, is taken in parts.

    landing/…/x.jsonl.gz -> tmp/part.jsonl -> one transaction, again and again

Parts are cut at line ends. The file is noted with its last part only, so after a crash it is
read again from its beginning, and the pushes that are known add nothing.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from pipelines.landing.inventory import Admission, LandedFile, admit, fits_in_a_slice
from pipelines.landing.members import Chunk, read_members, sound_members

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_CHUNK_BYTES = 1 << 20
_LONGEST_LINE_BYTES = 1 << 26
"""What is longer is no envelope."""


@dataclass(frozen=True, slots=True)
class Member:
    """A landed file that lies in a compacted one."""

    name: str
    """Name it had, below the landing folder."""
    offset: int
    """Where it begins, in bytes of the decompressed text."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Part:
    """Some lines of one landed file, in a file of their own."""

    path: Path
    """Lines as landed; those of a named member carry its name as ``landed_in``."""
    admission: Admission
    first_line: int
    """Number of the first line in the landed file, counted from 1."""
    bytes_read: int
    """Bytes of the landed file that this part took."""
    last: bool
    members: tuple[Member, ...] = ()
    """With the last part: all named members of the file."""
    problem: str | None = None
    """With the last part: why there is no more to be read, where that is not the end."""

    @property
    def file(self) -> LandedFile:
        """The landed file it is cut from."""
        return self.admission.file


@dataclass(slots=True)
class _Reader:
    """Lines of a landed file, and what is found on the way."""

    landing: Path
    file: LandedFile
    bytes_read: int = 0
    members: list[Member] = field(default_factory=list)
    problem: str | None = None

    def lines(self) -> Iterator[bytes]:
        """Yield every line, ended by a newline, as it is to stand in a part."""
        rest: list[bytes] = []
        member, head = 0, b""
        for chunk in self._tallied():
            if chunk.member != member:
                yield from _end_of_member(rest, head)
                rest = []
            member, head = chunk.member, _head(self._full_name(chunk))
            *whole, tail = chunk.data.split(b"\n")
            for line in whole:
                yield _marked(b"".join((*rest, line)), head)
                rest = []
            rest = [*rest, tail] if sum(map(len, rest)) < _LONGEST_LINE_BYTES else [b"-"]
        yield from _end_of_member(rest, head)

    def _tallied(self) -> Iterator[Chunk]:
        """Yield the chunks, and note the named members when they end."""
        digest, offset, size = sha256(), 0, 0
        last: Chunk | None = None
        for chunk in self._chunks():
            if last is not None and chunk.member != last.member:
                self._note(last, offset, size, digest.hexdigest())
                digest, offset, size = sha256(), offset + size, 0
            digest.update(chunk.data)
            size, last = size + len(chunk.data), chunk
            yield chunk
        if last is not None:
            self._note(last, offset, size, digest.hexdigest())

    def _note(self, chunk: Chunk, offset: int, size: int, digest: str) -> None:
        name = self._full_name(chunk)
        if name is not None:
            self.members.append(Member(name, offset, size, digest))

    def _full_name(self, chunk: Chunk) -> str | None:
        folder = self.file.name.rpartition("/")[0]
        return None if chunk.name is None else f"{folder}/{chunk.name}"

    def _chunks(self) -> Iterator[Chunk]:
        with (self.landing / self.file.name).open("rb") as file:
            for chunk in self._sound(file) if self.file.compressed else _plain(file):
                self.bytes_read = file.tell()
                yield chunk

    def _sound(self, file: BinaryIO) -> Iterator[Chunk]:
        """Members before the first damaged one: what a damaged one gives depends on the reader."""
        sound, fault = sound_members(file)
        if fault is not None:
            self.problem = (
                f"{fault} as gzip; what precedes the damage is taken, restore it from a backup"
            )
        file.seek(0)
        yield from read_members(file, sound)


def _plain(file: BinaryIO) -> Iterator[Chunk]:
    while data := file.read(_CHUNK_BYTES):
        yield Chunk(0, None, data)


def _head(name: str | None) -> bytes:
    return b"" if name is None else b'{"landed_in": "%b", ' % name.encode()


def _marked(line: bytes, head: bytes) -> bytes:
    """A line with the name of its member as first field; what is no object stays as it is."""
    return (head + line[1:] if head and line.startswith(b"{") else line) + b"\n"


def _end_of_member(rest: list[bytes], head: bytes) -> Iterator[bytes]:
    line = b"".join(rest)
    if line:
        yield _marked(line, head)


def parts_of(
    landing: Path, scratch: Path, group: list[LandedFile], most_bytes: int
) -> Iterator[Part | None]:
    """Yield None once for files that are taken as they lie there, else the parts of the one file.

    A part lies below ``scratch`` until the next one is asked for.
    """
    if all(fits_in_a_slice(file, most_bytes) for file in group):
        yield None
        return
    [admission] = admit(landing, group)
    if admission.problem:
        yield None
        return
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = scratch / "part.jsonl"
    try:
        yield from _cut(landing, admission, path, most_bytes)
    finally:
        path.unlink(missing_ok=True)


def _cut(landing: Path, admission: Admission, path: Path, most_bytes: int) -> Iterator[Part]:
    reader = _Reader(landing, admission.file)
    lines = reader.lines()
    line = next(lines, None)
    first, number, read = 1, 1, 0
    while True:
        size = 0
        with os.fdopen(os.open(path, _NEW, 0o600), "wb") as target:
            while line is not None and (size == 0 or size + len(line) <= most_bytes):
                size += target.write(line)
                number += 1
                line = next(lines, None)
        taken, read = reader.bytes_read - read, reader.bytes_read
        if line is None:
            found = tuple(reader.members)
            yield Part(path, admission, first, taken, True, found, reader.problem)
            return
        yield Part(path, admission, first, taken, last=False)
        first = number
