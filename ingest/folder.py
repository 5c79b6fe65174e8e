"""The landing folder of one provider: where each file goes, and what must hold before."""

import errno
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from ingest.durable import (
    PARTIAL_SUFFIX,
    check_space,
    free_bytes,
    keep_id,
    make_folder,
    make_folders,
    sweep_aside,
    write_and_remove,
    write_visible,
)

FREE_FLOOR_BYTES = 64 * 1024**2
"""Room that is left alone: as much as may be in flight when the disk gets tight."""


class LandingFolder:
    """Writes groups of pushes; the tree is drawn in ``ingest.landing``.

    Its folders are made by ``open`` and never again: one that vanishes is a disk that went away,
    and a folder made in its place would be hidden once the disk comes back. A file with an id tells
    the root from a folder that lies under its mount point: nothing is written where the id is
    another, and all is well again when the disk is back.
    """

    def __init__(self, root: Path, *, free_floor_bytes: int = FREE_FLOOR_BYTES) -> None:
        self.root = root
        self.process = secrets.token_hex(8)
        """Tells the files and pushes of this process from those of any other."""
        self.free_floor_bytes = free_floor_bytes
        self._partials = root / ".partial"
        self._id_file = root / ".id"
        self._id = b""
        self._day: Path | None = None

    def open(self) -> list[Path]:
        """Make the folders, sweep aside what a dead process left, try a write.

        Returns where the swept files are now. Raises OSError.
        """
        make_folders(self.root)
        for ours in (self.root.parent, self.root, self._partials):
            make_folder(ours)
        swept = sweep_aside(self._partials, self.root.parent / ".aside")
        self._id = keep_id(self._id_file)
        self.probe()
        return swept

    def renew(self) -> None:
        """Take another name for this process, so that no earlier file's name comes again."""
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
        # one that could not be removed must not be in the way of every later probe
        partial.unlink(missing_ok=True)
        write_and_remove(b"probe\n", partial)

    def free_bytes(self) -> int:
        """Return the free bytes of the folder's disk, 0 where the folder is gone."""
        try:
            return free_bytes(self.root)
        except OSError:
            return 0

    def _check(self) -> None:
        """Raise OSError where another folder is in the place of ours, or room is short."""
        if self._id_file.read_bytes() != self._id:
            raise OSError(errno.ESTALE, "another folder is in its place", str(self.root))
        check_space(self.root, self.free_floor_bytes)

    def _make_day(self, day: Path) -> None:
        """Make the folder of a day once; after a failure make sure again."""
        if day != self._day:
            make_folder(day)
            self._day = day
