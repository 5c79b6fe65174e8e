"""The landing folder of one provider: where each file goes, and the checks before a write."""

import errno
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from ingest.durable import (
    FULL,
    PARTIAL_SUFFIX,
    Room,
    check_room,
    disk_of,
    keep_id,
    make_folder,
    make_folders,
    room_of,
    sweep_aside,
    write_and_remove,
    write_visible,
)

FREE_FLOOR_BYTES = 64 * 1024**2
"""Space that is never used up: as much as may be in flight when the disk fills up."""
FREE_FLOOR_INODES = 1_000
"""Inodes that are never used up: compaction, which frees the others, needs some itself."""


class LandingFolder:
    """Writes groups of pushes; the tree is drawn in ``ingest.landing``.

    Only ``open`` makes the root: a root that vanishes is a disk that was unmounted, and a folder
    made in its place would be hidden once it is mounted again. The folder under a mount point may
    look like the root, so an id file distinguishes the two: unless it holds the id that ``open``
    read, nothing is written. If the disk is full when ``open`` is called, its work is done by the
    first write for which there is room, on the same disk only.
    """

    def __init__(self, root: Path, *, free_floor_bytes: int = FREE_FLOOR_BYTES) -> None:
        self.root = root
        self.process = secrets.token_hex(8)
        """Distinguishes the files and pushes of this process from those of any other."""
        self.free_floor_bytes = free_floor_bytes
        self.free_floor_inodes = FREE_FLOOR_INODES
        self._partials = root / ".partial"
        self._id_file = root / ".id"
        self._id: bytes | None = None
        """None until the folder could be opened."""
        self._disk = 0
        self._day: Path | None = None

    def open(self) -> list[Path]:
        """Make the folders, move aside what a dead process left, try a write.

        Returns the paths of the files moved aside, none where the disk is full. Raises OSError.
        """
        self._disk = disk_of(self.root)
        try:
            return self._open()
        except OSError as error:
            if error.errno not in FULL:
                raise
            return []

    def _open(self) -> list[Path]:
        make_folders(self.root)
        for ours in (self.root.parent, self.root, self._partials):
            make_folder(ours)
        swept = sweep_aside(self._partials, self.root.parent / ".aside")
        self._id = keep_id(self._id_file, self._partials)
        self.probe()
        return swept

    def renew(self) -> None:
        """Give this process a new name, so that no name of an earlier file is used again."""
        self.process = secrets.token_hex(8)

    def write(self, moment: datetime, lines: Iterable[bytes]) -> Path:
        """Write the lines of envelopes to one durable file; return it. Raises OSError.

        It is named after ``moment``, which is UTC and differs from that of every other file of
        this process.
        """
        self._check()
        day = self.root / f"{moment:%Y-%m-%d}"
        name = f"{moment:%Y%m%dT%H%M%S.%fZ}-{self.process}.jsonl"
        try:
            self._make_day(day)
            write_visible(lines, self._partials / (name + PARTIAL_SUFFIX), day / name)
        except OSError:
            self._day = None
            raise
        return day / name

    def probe(self) -> None:
        """Write and sync a file, then remove it; raises OSError."""
        self._check()
        partial = self._partials / f"probe-{self.process}{PARTIAL_SUFFIX}"
        # A probe that could not be removed must not make every later one fail.
        partial.unlink(missing_ok=True)
        write_and_remove(b"probe\n", partial)

    def room(self) -> Room:
        """Return how much more the folder's disk can hold, nothing if the folder is gone."""
        try:
            return room_of(self.root)
        except OSError:
            return Room(0, 0, 0)

    def _check(self) -> None:
        """Raise OSError if another folder is in the place of ours, or if space is short."""
        if self._id is None and disk_of(self.root) == self._disk:
            self._open()
        if self._id is None or self._id_file.read_bytes() != self._id:
            raise OSError(errno.ESTALE, "another folder is in its place", str(self.root))
        check_room(self.root, self.free_floor_bytes, self.free_floor_inodes)

    def _make_day(self, day: Path) -> None:
        """Make the folder of a day once; after a failure make sure again."""
        if day != self._day:
            make_folder(day)
            self._day = day
