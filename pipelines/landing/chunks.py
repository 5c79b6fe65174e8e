"""A landed file that is compressed, or too large for one batch, is taken in chunks.

    landing/…/x.jsonl.gz -> tmp/chunk.jsonl -> one transaction, again and again

Chunks are cut at line ends. The file is registered with its last chunk only, so after a crash it
is read again from its beginning, and the pushes that are known add nothing.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.landing.admission import Admission, admit
from pipelines.landing.inventory import LandedFile, fits_in_a_batch
from pipelines.landing.members import Block, Member, intact_members, read_members

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_BLOCK_BYTES = 1 << 20
_LONGEST_LINE_BYTES = 1 << 26
"""A longer line cannot be an envelope."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of one landed file, in a file of their own."""

    path: Path
    """Lines as landed; those of a named member carry its name as ``landed_in``."""
    admission: Admission
    first_line: int
    """Number of the first line in the landed file, counted from 1."""
    bytes_read: int
    """Bytes of the landed file that this chunk took."""
    last: bool
    members: tuple[Member, ...] = ()
    """With the last chunk: all members of the file."""
    problem: str | None = None
    """With the last chunk: why the rest of the file cannot be read, if there is a rest."""

    @property
    def file(self) -> LandedFile:
        """The landed file it is cut from."""
        return self.admission.file


@dataclass(slots=True)
class _Reader:
    """Lines of a landed file, and what is known after the last of them."""

    landing: Path
    file: LandedFile
    bytes_read: int = 0
    members: list[Member] = field(default_factory=list)
    problem: str | None = None

    def lines(self) -> Iterator[bytes]:
        """Yield every line, ended by a newline, as it is to stand in a chunk."""
        rest: list[bytes] = []
        for block in self._blocks():
            mark = self._mark(block.name)
            *whole, tail = block.data.split(b"\n")
            for line in whole:
                yield _marked(b"".join((*rest, line)), mark)
                rest = []
            rest = [*rest, tail] if sum(map(len, rest)) < _LONGEST_LINE_BYTES else [b"-"]
            if block.last:
                line, rest = b"".join(rest), []
                if line:
                    yield _marked(line, mark)

    def _mark(self, name: str | None) -> bytes:
        """First field of an object that came from a member of this name."""
        folder = self.file.name.rpartition("/")[0]
        return b"" if name is None else f'{{"landed_in": "{folder}/{name}", '.encode()

    def _blocks(self) -> Iterator[Block]:
        with (self.landing / self.file.name).open("rb") as file:
            if not self.file.compressed:
                while data := file.read(_BLOCK_BYTES):
                    self.bytes_read = file.tell()
                    yield Block(None, data, last=False)
                yield Block(None, b"", last=True)
                return
            # what a damaged member gives depends on the reader, so none of it is taken
            self.members, damage = intact_members(file)
            if damage is not None:
                what = "everything before the damage is taken"
                self.problem = f"{damage}; {what}; restore it from a backup"
            file.seek(0)
            for block in read_members(file, len(self.members)):
                self.bytes_read = file.tell()
                yield block


def _marked(line: bytes, mark: bytes) -> bytes:
    """A line with the mark of its member; one that is not an object stays as it is."""
    return (mark + line[1:] if mark and line.startswith(b"{") else line) + b"\n"


def chunks_of(
    landing: Path, scratch: Path, batch: list[LandedFile], most_bytes: int
) -> Iterator[Chunk | None]:
    """Yield the chunks of the one file of a batch, or None once for files taken as they are.

    A chunk lies below ``scratch`` until the next one is asked for.
    """
    if all(fits_in_a_batch(file, most_bytes) for file in batch):
        yield None
        return
    [admission] = admit(landing, batch)
    if admission.problem:
        yield None
        return
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = scratch / "chunk.jsonl"
    try:
        yield from _cut(landing, admission, path, most_bytes)
    finally:
        path.unlink(missing_ok=True)


def _cut(landing: Path, admission: Admission, path: Path, most_bytes: int) -> Iterator[Chunk]:
    reader = _Reader(landing, admission.file)
    lines = reader.lines()
    line = next(lines, None)
    first, number, bytes_before = 1, 1, 0
    while True:
        size = 0
        with os.fdopen(os.open(path, _NEW, 0o600), "wb") as target:
            while line is not None and (size == 0 or size + len(line) <= most_bytes):
                size += target.write(line)
                number += 1
                line = next(lines, None)
        bytes_read, bytes_before = reader.bytes_read - bytes_before, reader.bytes_read
        if line is None:
            members = tuple(reader.members)
            yield Chunk(path, admission, first, bytes_read, True, members, reader.problem)
            return
        yield Chunk(path, admission, first, bytes_read, last=False)
        first = number
