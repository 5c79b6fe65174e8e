"""Real disks for tests: small, read-only, unmounted, dead, without power. Mounting needs root.

The disk that loses its power is two file systems, one upon the other::

    medium.img    what a disk's platters hold
    medium/       an ext4 on it, whose page cache is the disk's volatile cache
      disk.img    what the computer takes for its disk
    data/         an ext4 on that, where the receiver lands

Only a flush (fsync above, passed down by the loop driver) brings anything from the cache to the
medium. The power goes by ``EXT4_IOC_SHUTDOWN`` on ``medium/``: from that moment nothing gets
through, in the middle of a write or a sync too, and the image is what a power cut leaves.
"""

import contextlib
import fcntl
import os
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Self

_SHUTDOWN = 0x8004587D
"""``EXT4_IOC_SHUTDOWN``, from the kernel's fs/ext4/ext4.h."""
_WITHOUT_FLUSHING_THE_LOG = struct.pack("I", 2)
# No commit by the clock: only what somebody syncs may reach the disk.
_MOUNT_OPTIONS = "loop,commit=600"
_DISK_BYTES = 1024**3


@cache
def why_no_disks() -> str | None:
    """Return why disks cannot be mounted here, None where they can."""
    try:
        with tempfile.TemporaryDirectory() as folder, ext4(Path(folder) / "disk", 8 * 1024**2):
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        return f"needs the right to mount disks (root, loop devices): {said.splitlines()[0]}"


@contextlib.contextmanager
def ext4(at: Path, size_bytes: int) -> Iterator[None]:
    """Mount a new ext4 of this size at ``at``; its image lies beside."""
    image = image_of(at)
    _format(image, size_bytes)
    at.mkdir()
    try:
        mount(image, at)
        yield
    finally:
        unmount(at)


@contextlib.contextmanager
def few_inodes(at: Path, inodes: int) -> Iterator[None]:
    """Mount a file system at ``at`` that holds so many files, with plenty of space."""
    at.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", f"nr_inodes={inodes},size=256m", "none", at)
        yield
    finally:
        unmount(at)


@contextlib.contextmanager
def small_disk(at: Path, size_bytes: int) -> Iterator[None]:
    """Mount a new disk in memory at ``at``: nothing on it waits for another disk."""
    at.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "dlr", at)
    try:
        yield
    finally:
        unmount(at)


def fill_up(filler: Path) -> None:
    """Write to ``filler`` until its disk takes no more."""
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(65536)):
            pass


def image_of(at: Path) -> Path:
    """Return the image of the disk that is mounted at ``at``."""
    return at.with_name(at.name + ".img")


def mount(image: Path, at: Path) -> None:
    """Mount a disk; raises CalledProcessError."""
    _run("mount", "-o", _MOUNT_OPTIONS, image, at)


def remount(at: Path, options: str) -> None:
    """Change how a disk is mounted, such as ``ro``; raises CalledProcessError."""
    _run("mount", "-o", f"remount,{options}", at)


def unmount(at: Path) -> None:
    """Unmount what is mounted at ``at``, if anything; a user of it does not keep it there."""
    if at.is_mount():
        _run("umount", "--lazy", at)


def shut_down(at: Path) -> None:
    """Make a mounted ext4 fail from now on, whatever is under way; raises OSError."""
    descriptor = os.open(at, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, _SHUTDOWN, _WITHOUT_FLUSHING_THE_LOG)
    finally:
        os.close(descriptor)


class PowerCutDisk:
    """A disk with a volatile cache, and a file system on it, mounted at ``data``."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._medium = folder / "medium"
        self._image = image_of(self._medium)
        self._disk = self._medium / "disk.img"

    @classmethod
    @contextlib.contextmanager
    def new(cls, folder: Path) -> Iterator[Self]:
        """Make one, with the power on."""
        disk = cls(folder)
        for at in (disk.data, disk._medium):
            at.mkdir(parents=True)
        try:
            _format(disk._image, 2 * _DISK_BYTES)
            mount(disk._image, disk._medium)
            _format(disk._disk, _DISK_BYTES)
            mount(disk._disk, disk.data)
            _run("sync", "--file-system", disk.data, disk._medium)
            yield disk
        finally:
            disk._unmount()

    def cut(self) -> None:
        """Cut the power; what is still running gets errors."""
        shut_down(self._medium)

    def restore(self) -> None:
        """Mount what the medium held when the power went; nobody may use the disk before."""
        survived = self._image.with_suffix(".survived")
        # Before unmounting: that may write, and a disk without power takes nothing.
        _copy_at_rest(self._image, survived)
        self._unmount()
        survived.replace(self._image)
        mount(self._image, self._medium)
        mount(self._disk, self.data)

    def _unmount(self) -> None:
        unmount(self.data)
        unmount(self._medium)


def _copy_at_rest(image: Path, copy: Path) -> None:
    """Copy an image that nobody writes to any more; tries again if somebody did meanwhile."""
    for _ in range(100):
        before = image.stat().st_mtime_ns
        _run("cp", "--sparse=always", image, copy)
        if image.stat().st_mtime_ns == before:
            return
    raise TimeoutError(f"{image} is still being written to")


def _format(image: Path, size_bytes: int) -> None:
    """Make an ext4 in a sparse file."""
    with image.open("wb") as file:
        file.truncate(size_bytes)
    _run("mkfs.ext4", "-q", "-F", "-m", "0", image)


def _run(*command: "str | Path") -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
