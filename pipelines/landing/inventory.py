"""Which landed files there are, by the partition (landing day) they lie in."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, TypeVar

from pipelines.landing.members import SUFFIX

PROVIDER = "yunpian"
SUFFIXES = (".jsonl", SUFFIX)
"""How a landed file's name ends."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOST_FILES_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class LandedFile:
    """One file in the landing folder."""

    name: str
    """Path below the landing folder, with forward slashes."""
    size: int
    changed_ns: int
    FOLLOWS_LINKS: ClassVar[bool] = False
    """Whether a symbolic link stands for the file it leads to."""

    @property
    def day(self) -> date | None:
        """Landing day, by the folder it lies in; None for a file that lies elsewhere."""
        return _day(self.name.rpartition("/")[0].rpartition("/")[2])

    @property
    def compressed(self) -> bool:
        """Whether it is gzip."""
        return self.name.endswith(SUFFIX)


File = TypeVar("File", bound=LandedFile)


# millions of files lie in few folders
@lru_cache(maxsize=1 << 12)
def _day(folder: str) -> date | None:
    try:
        return date.fromisoformat(folder) if _DAY.fullmatch(folder) else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Partition:
    """A landing day's folder, as it was just before it was listed."""

    name: str
    """Path below the landing folder."""
    stamp: str
    """Differs after anything in the folder was added, removed or renamed."""
    files: list[LandedFile]

    @property
    def day(self) -> date:
        """The landing day."""
        return date.fromisoformat(self.name.rpartition("/")[2])

    @property
    def changed_ns(self) -> int:
        """Time of the folder's last change of any kind, nanoseconds since 1970."""
        return int(self.stamp.rpartition("-")[2])


@dataclass(slots=True)
class Listing:
    """What lies in the landing folder."""

    files: list[LandedFile] = field(default_factory=list)
    """All files that were listed, in order of their names."""
    partitions: list[Partition] = field(default_factory=list)
    """Landing days that were listed."""
    closed_files: int = 0
    """Files in closed partitions, which were not listed."""
    closed_bytes: int = 0


ClosedPartitions = Mapping[str, tuple[str, int, int]]
"""Stamp, number of files and their bytes by folder."""


def list_landed(landing: Path) -> list[LandedFile]:
    """All landed files in order of their names; hidden ones are still being written."""
    return list_open(landing).files


def list_open(landing: Path, closed: ClosedPartitions | None = None) -> Listing:
    """List the landing folder except for closed partitions whose folder has not changed since."""
    listing = Listing()
    try:
        entries = visible(landing / PROVIDER)
    except OSError:
        listing.files.append(LandedFile(PROVIDER, 0, 0))
        return listing
    for entry in entries:
        name = f"{PROVIDER}/{entry.name}"
        stamp = stamp_of(landing / name) if _day(entry.name) and entry.is_dir() else None
        closed_stamp, files, size = (closed or {}).get(name, (None, 0, 0))
        if stamp is not None and stamp == closed_stamp:
            listing.closed_files += files
            listing.closed_bytes += size
        elif stamp is not None:
            listing.partitions.append(_list_partition(landing, name, stamp))
            listing.files += listing.partitions[-1].files
        else:
            listing.files += files_of(_below(entry, name, SUFFIXES), LandedFile)
    listing.files.sort(key=lambda file: file.name)
    return listing


def stamp_of(folder: Path) -> str | None:
    """What tells that a folder's entries may have changed; None where there is no folder.

    It ends with the time of the last change of any kind, which no tool can set as ``rsync`` sets
    the time of modification.
    """
    try:
        info = folder.stat()
    except OSError:
        return None
    return f"{info.st_dev}-{info.st_ino}-{info.st_mtime_ns}-{info.st_ctime_ns}"


def list_partition(landing: Path, name: str) -> Partition | None:
    """List the folder of a landing day; None where there is none."""
    stamp = stamp_of(landing / name)
    return None if stamp is None else _list_partition(landing, name, stamp)


def _list_partition(landing: Path, name: str, stamp: str) -> Partition:
    entries = walk(landing / name, name, SUFFIXES)
    return Partition(name, stamp, list(files_of(entries, LandedFile)))


FolderEntry = tuple[str, os.DirEntry[str] | None]
"""A file by its name below the root; None stands for a folder that cannot be listed."""


def walk(folder: Path, name: str = "", leaves: tuple[str, ...] = ()) -> Iterator[FolderEntry]:
    """Every file below a folder; what is hidden is still being written.

    A folder whose name ends with one of ``leaves`` counts as a file, and so does one that cannot
    be listed: reported as unreadable, somebody will look at it.
    """
    try:
        entries = visible(folder)
    except OSError:
        yield name or ".", None
        return
    for entry in entries:
        yield from _below(entry, f"{name}/{entry.name}" if name else entry.name, leaves)


def _below(entry: os.DirEntry[str], name: str, leaves: tuple[str, ...]) -> Iterator[FolderEntry]:
    if entry.is_dir() and not entry.name.endswith(leaves):
        yield from walk(Path(entry.path), name, leaves)
    else:
        yield name, entry


def visible(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, without the hidden; raises OSError where it cannot be listed."""
    try:
        return [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except FileNotFoundError:
        return []


def files_of(entries: Iterable[FolderEntry], kind: type[File]) -> Iterator[File]:
    """Entries with their sizes and times of change; a folder counts as a file of no size."""
    for name, entry in entries:
        if entry is None:
            yield kind(name, 0, 0)
        else:
            info = entry.stat(follow_symlinks=kind.FOLLOWS_LINKS and entry.is_file())
            yield kind(name, 0 if entry.is_dir() else info.st_size, info.st_mtime_ns)


def fits_in_a_batch(file: LandedFile, most_bytes: int) -> bool:
    """Whether a file can be taken as it lies there, in one transaction."""
    return file.size <= most_bytes and not file.compressed


def in_batches(files: Iterable[LandedFile], most_bytes: int) -> Iterator[list[LandedFile]]:
    """Cut a backlog into batches that fit in memory; each becomes one transaction.

    A file that does not fit is alone in its batch (see ``chunks.py``), and so is a compressed one
    because its size says nothing about what it holds.
    """
    batch: list[LandedFile] = []
    size = 0
    for file in files:
        full = size + file.size > most_bytes or len(batch) >= _MOST_FILES_AT_ONCE
        if batch and (full or file.compressed or batch[-1].compressed):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch
