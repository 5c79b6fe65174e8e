"""The files of one landing day become few: one compressed file for an hour, later one for the day.

``containers.py`` makes each such file, so that a process may be killed at any point.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path

import duckdb

from pipelines.landing.admission import Admission, admit
from pipelines.landing.containers import (
    combine,
    delete_unfinished,
    ends_with_newline,
    holds_its_members,
)
from pipelines.landing.duplicates import delete_duplicates
from pipelines.landing.inventory import LandedFile, Partition
from pipelines.landing.members import can_be_member
from pipelines.landing.registry import registered_among

FEW_FILES = 50
"""An hour with fewer files is left as it is until its day is compacted."""
MANY_FILES = 2_000
"""From so many files on, an hour is compacted before it is over."""
MOST_PARTS = 20_000
"""Files that become one compressed file in one step: what a killed process has to do again."""
_HOUR = re.compile(r"\d{8}T\d\d(?=\d{4}\.\d{6}Z)")


@dataclass(slots=True)
class Compaction:
    """What a compaction did."""

    folders: set[str] = field(default_factory=set)
    """Landing days in which files were compacted."""
    files: int = 0
    """Files that were."""
    containers: int = 0
    """Compacted files that were combined into larger ones."""
    bytes_before: int = 0
    """Size of both."""
    bytes_after: int = 0
    """Size of what was made of them."""
    waiting: list[str] = field(default_factory=list)
    """Days left alone because something in them is pending."""
    differing: list[str] = field(default_factory=list)
    """Files left alone because their bytes are not those that were taken in."""

    failure: str | None = None
    """Why it ended early: what the system said of which file."""

    @property
    def days(self) -> int:
        """How many landing days."""
        return len(self.folders)

    def log_lines(self) -> Iterator[str]:
        """What a run's log says of it; nothing where nothing was done."""
        if self.folders:
            yield (
                f"Compacted {self.files} landed files and {self.containers} compacted ones of "
                f"{self.days} days from {self.bytes_before} to {self.bytes_after} bytes."
            )
        yield from (f"{name}: its bytes differ from those loaded." for name in self.differing)
        if self.failure:
            yield f"Landed files could not be compacted; the next run tries again. {self.failure}."


def bytes_to_compact(partition: Partition) -> int:
    """Bytes of a landing day, unless it is one compacted file already."""
    files = partition.files
    return 0 if len(files) == 1 and files[0].compressed else sum(file.size for file in files)


@dataclass(slots=True)
class Compactor:
    """Compacts one landing day, or hours of it."""

    con: duckdb.DuckDBPyConnection
    landing: Path
    partition: Partition
    report: Compaction
    _made: dict[str, Admission] = field(default_factory=dict)
    """Compacted files made here that still exist."""

    def compact_day(self) -> None:
        """Combine all files into one, but for those that cannot be trusted."""
        delete_unfinished(self.landing / self.partition.name)
        if not bytes_to_compact(self.partition):
            return
        files = self._known(self.partition.files, "taken", "compacted")
        doubled = delete_duplicates(self.con, self.landing, self.partition, list(files))
        self._pack([file for file in files if file.name not in doubled])
        self._fold([file for file in files if file.name not in doubled], is_day=True)

    def compact_hours(self, now: datetime, is_time_up: Callable[[], bool] = lambda: False) -> None:
        """Combine the files of each hour that is over, and many files of one that is not.

        Begins with no further hour once time is up.
        """
        files = sorted(self._of_the_folder(self.partition.files), key=lambda file: file.name)
        for hour, some in groupby(files, key=_hour):
            if hour is None or is_time_up():
                continue
            of_hour = list(some)
            is_over = hour < f"{now:%Y%m%dT%H}"
            originals = [file for file in of_hour if not file.compressed]
            if len(originals) >= (FEW_FILES if is_over else MANY_FILES):
                self._pack_hour(originals)
            if is_over and len(of_hour) - len(originals) + len(self._made) > 1:
                self._fold([file for file in of_hour if file.compressed], is_day=False)
            self._made.clear()

    def _pack_hour(self, originals: list[LandedFile]) -> None:
        known = list(self._known(originals, "taken"))
        if len(known) >= FEW_FILES:
            doubled = delete_duplicates(self.con, self.landing, self.partition, known)
            self._pack([file for file in known if file.name not in doubled])

    def _of_the_folder(self, files: Iterable[LandedFile]) -> Iterator[LandedFile]:
        return (file for file in files if file.name.rpartition("/")[0] == self.partition.name)

    def _known(self, files: Iterable[LandedFile], *states: str) -> dict[LandedFile, str]:
        """Files in these states, unchanged as far as size and time tell; each with its digest."""
        own = {file.name: file for file in self._of_the_folder(files)}
        return {
            own[name]: digest
            for name, size, changed_ns, digest in registered_among(
                self.con, self.partition.day, own, states
            )
            if (own[name].size, own[name].changed_ns) == (size, changed_ns)
        }

    def _pack(self, files: Iterable[LandedFile]) -> None:
        """Make compacted files of landed ones: taken whole, unchanged, ended by a newline."""
        originals = sorted(
            (
                file
                for file in files
                if not file.compressed and can_be_member(file.name.rpartition("/")[2])
            ),
            key=lambda file: file.name,
        )
        for first in range(0, len(originals), MOST_PARTS):
            some = originals[first : first + MOST_PARTS]
            parts = [
                part
                for part in self._unchanged(some, "taken")
                if ends_with_newline(self.landing / part.file.name)
            ]
            if parts:
                self._combine(parts)

    def _fold(self, files: Iterable[LandedFile], *, is_day: bool) -> None:
        """Make one compacted file of several.

        Of those that were read like any other, only a day takes the time to look inside.
        """
        old = [file for file in files if file.compressed]
        parts = self._unchanged(old, "compacted")
        if is_day:
            parts += [
                part
                for part in self._unchanged(old, "taken")
                if holds_its_members(self.con, self.landing, part)
            ]
        parts = sorted([*parts, *self._made.values()], key=lambda part: part.file.name)
        if len(parts) > 1:
            self._combine(parts)

    def _unchanged(self, files: Iterable[LandedFile], state: str) -> list[Admission]:
        """Those in this state that have the bytes that were taken in; the others are reported."""
        known = self._known(files, state)
        admissions = admit(self.landing, list(known))
        same = [each for each in admissions if each.sha256 == known[each.file]]
        self.report.differing += sorted(
            {each.file.name for each in admissions} - {each.file.name for each in same}
        )
        return same

    def _combine(self, parts: Sequence[Admission]) -> None:
        made = combine(self.con, self.landing, parts)
        if isinstance(made, str):
            self.report.differing.append(made)
            return
        for part in parts:
            if self._made.pop(part.file.name, None):
                self.report.bytes_after -= part.file.size
            else:
                self.report.bytes_before += part.file.size
                self.report.containers += part.file.compressed
                self.report.files += not part.file.compressed
        self._made[made.file.name] = made
        self.report.bytes_after += made.file.size
        self.report.folders.add(self.partition.name)


def _hour(file: LandedFile) -> str | None:
    """UTC hour in a file's name, such as ``20261123T06``; None where it has no time."""
    match = _HOUR.match(file.name.rpartition("/")[2])
    return match[0] if match else None
