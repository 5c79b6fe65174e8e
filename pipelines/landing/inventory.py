"""Which landed files there are, which of them are new, and what is wrong with one."""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path

from pipelines.landing.members import SUFFIX

PROVIDER = "yunpian"

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SUFFIXES = (".jsonl", SUFFIX)
_MOST_FILES_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class LandedFile:
    """One file in the landing folder."""

    name: str
    """Path below the landing folder, with forward slashes."""
    size: int
    changed_ns: int

    @property
    def day(self) -> date | None:
        """Landing day, by the folder it lies in; None for a file that lies elsewhere."""
        return _day(self.name.rpartition("/")[0].rpartition("/")[2])

    @property
    def compressed(self) -> bool:
        """Whether it is gzip."""
        return self.name.endswith(SUFFIX)


# millions of files lie in few folders
@lru_cache(maxsize=1 << 12)
def _day(folder: str) -> date | None:
    try:
        return date.fromisoformat(folder) if _DAY.fullmatch(folder) else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Folder:
    """A landing day's folder, as it was just before it was listed."""

    name: str
    """Path below the landing folder."""
    stamp: str
    """What changes when something in it comes, goes or is renamed."""
    changed_ns: int
    """Time of the last such change, nanoseconds since 1970."""
    flat: bool
    """Whether there is no folder below it, whose changes its own times would not tell."""
    files: list[LandedFile]


@dataclass(slots=True)
class Listing:
    """What lies in the landing folder."""

    files: list[LandedFile] = field(default_factory=list)
    """All files that were listed, in order of their names."""
    folders: list[Folder] = field(default_factory=list)
    """Landing days that were listed."""
    sealed_files: int = 0
    """Files in sealed days, which were not listed."""
    sealed_bytes: int = 0


Sealed = Mapping[str, tuple[str, int, int]]
"""Stamp, number of files and their bytes by folder."""


def list_landed(landing: Path) -> list[LandedFile]:
    """All landed files in order of their names; hidden ones are still being written."""
    return look(landing, {}).files


def look(landing: Path, sealed: Sealed) -> Listing:
    """List the landing folder, but for the days that are as they were when they were sealed."""
    listing = Listing()
    try:
        entries = _visible(landing / PROVIDER)
    except OSError:
        # reported as a file that cannot be read: a person must look
        listing.files.append(LandedFile(PROVIDER, 0, 0))
        return listing
    for entry in entries:
        name = f"{PROVIDER}/{entry.name}"
        stamp = stamp_of(landing / name) if _day(entry.name) and entry.is_dir() else None
        seal, files, size = sealed.get(name, (None, 0, 0))
        if stamp is not None and stamp == seal:
            listing.sealed_files += files
            listing.sealed_bytes += size
        elif stamp is not None:
            listing.folders.append(_list_day(landing, name, stamp))
            listing.files += listing.folders[-1].files
        else:
            listing.files += _walk(entry, name)
    listing.files.sort(key=lambda file: file.name)
    return listing


def stamp_of(folder: Path) -> str | None:
    """What changes when something in a folder comes or goes; None where there is no folder.

    The time of its last change of any kind comes last: no tool can set it, as ``rsync`` does the
    time of modification.
    """
    try:
        info = folder.stat()
    except OSError:
        return None
    return f"{info.st_dev}-{info.st_ino}-{info.st_mtime_ns}-{info.st_ctime_ns}"


def _list_day(landing: Path, name: str, stamp: str) -> Folder:
    try:
        entries = _visible(landing / name)
    except OSError:
        # reported as a file that cannot be read: a person must look
        return Folder(name, stamp, 0, flat=False, files=[LandedFile(name, 0, 0)])
    files = [file for entry in entries for file in _walk(entry, f"{name}/{entry.name}")]
    flat = not any(entry.is_dir() for entry in entries)
    return Folder(name, stamp, int(stamp.rpartition("-")[2]), flat, files)


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, without the hidden; raises OSError where it cannot be listed."""
    try:
        return [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except FileNotFoundError:
        return []


def _walk(entry: os.DirEntry[str], name: str) -> Iterator[LandedFile]:
    if not entry.is_dir():
        yield _landed(entry, name)
    elif entry.name.endswith(_SUFFIXES):
        yield LandedFile(name, 0, entry.stat().st_mtime_ns)
    else:
        try:
            entries = _visible(Path(entry.path))
        except OSError:
            yield LandedFile(name, 0, 0)
            return
        for below in entries:
            yield from _walk(below, f"{name}/{below.name}")


def _landed(entry: os.DirEntry[str], path: str) -> LandedFile:
    info = entry.stat(follow_symlinks=False)
    return LandedFile(path, info.st_size, info.st_mtime_ns)


def fits_in_a_slice(file: LandedFile, most_bytes: int) -> bool:
    """Whether a file can be taken as it lies there, in one transaction."""
    return file.size <= most_bytes and not file.compressed


def slices(files: Iterable[LandedFile], most_bytes: int) -> Iterator[list[LandedFile]]:
    """Cut a backlog into groups that fit in memory; each becomes one transaction.

    A file that does not fit is a group of its own (``parts.py``), and so is a compressed one, of
    which nobody knows what it holds.
    """
    part: list[LandedFile] = []
    size = 0
    for file in files:
        full = size + file.size > most_bytes or len(part) >= _MOST_FILES_AT_ONCE
        if part and (full or file.compressed or part[-1].compressed):
            yield part
            part, size = [], 0
        part.append(file)
        size += file.size
    if part:
        yield part


@dataclass(frozen=True, slots=True)
class Admission:
    """A file at the door of the pipeline: its digest, or why it cannot come in."""

    file: LandedFile
    sha256: str | None
    problem: str | None


def admit(landing: Path, files: list[LandedFile]) -> list[Admission]:
    """Read every file once for its digest; what cannot be read, or is none of ours, is named."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda file: _admit(landing, file), files))


def _admit(landing: Path, file: LandedFile) -> Admission:
    path = landing / file.name
    try:
        if path.is_symlink() and not path.is_dir():
            # what it leads to can change, or go, without a trace in the landing folder
            linked = "is a symbolic link; put the file itself in its place or move the link away"
            return Admission(file, None, linked)
        if not stat.S_ISREG(path.stat().st_mode):
            return Admission(file, None, "is no file; move it out of the landing folder")
        if not file.name.endswith(_SUFFIXES):
            foreign = "is a foreign file, no .jsonl; move it out of the landing folder"
            return Admission(file, None, foreign)
        with path.open("rb") as opened:
            return Admission(file, file_digest(opened, "sha256").hexdigest(), None)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Admission(file, None, f"cannot be read ({reason}); mend it or move it away")
