"""Files that survive a power cut: written under another name, synced, renamed, folder synced."""

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

PARTIAL_SUFFIX = ".partial"
FULL = (errno.ENOSPC, errno.EDQUOT)
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
UNLIMITED = 2**53
"""Inodes of a file system that makes them as needed, such as btrfs; exact as a float."""
_FEW_INODES = 0.1
"""Share of the disk's inodes; while fewer are free, pushes are landed in fewer files."""
_MOST_BUFFERS = 1024
"""Limit of the system for one call (IOV_MAX)."""


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable; raises OSError."""
    with open_folder(folder) as descriptor:
        os.fsync(descriptor)


@contextlib.contextmanager
def open_folder(folder: Path) -> Iterator[int]:
    """Lend a descriptor of ``folder``; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make sure that a private ``folder`` exists and that its name is durable; raises OSError.

    The parent is synced even if the folder exists: the process that made it may have died before
    it synced.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=PRIVATE_FOLDER)
    sync_folder(folder.parent)


def make_folders(folder: Path) -> None:
    """Make ``folder`` with what is missing of its parents, each durable; raises OSError."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        make_folder(path)


class Room(NamedTuple):
    """How much more a disk can hold."""

    free_bytes: int
    """Bytes that an ordinary user may still write."""
    free_inodes: int
    """Files that an ordinary user may still make."""
    inodes: int
    """Files that the disk holds at most."""

    @property
    def lacks_inodes(self) -> bool:
        """Whether the disk will soon hold no more files, however many bytes are free."""
        return self.free_inodes < _FEW_INODES * self.inodes


def room_of(folder: Path) -> Room:
    """Measure the disk of a folder; raises OSError."""
    state = os.statvfs(folder)
    free, total = (state.f_favail, state.f_files) if state.f_files else (UNLIMITED, UNLIMITED)
    return Room(state.f_bavail * state.f_frsize, free, total)


def check_room(folder: Path, floor_bytes: int, floor_inodes: int) -> None:
    """Raise OSError (ENOSPC) where fewer bytes or inodes than these are free for us."""
    room = room_of(folder)
    if room.free_bytes < floor_bytes:
        raise OSError(errno.ENOSPC, f"fewer than {floor_bytes} bytes are free", str(folder))
    if room.free_inodes < floor_inodes:
        raise OSError(errno.ENOSPC, f"fewer than {floor_inodes} inodes are free", str(folder))


def disk_of(folder: Path) -> int:
    """Return the number of the disk that holds ``folder``, or would if it were made."""
    return next(path for path in (folder, *folder.parents) if path.exists()).stat().st_dev


def write_visible(parts: Iterable[bytes], partial: Path, target: Path) -> None:
    """Write ``parts`` to ``partial``, sync, rename to ``target``, sync the target's folder.

    Raises OSError. Nothing is visible then: if only the last sync failed, the file is removed,
    because a push that was refused must not be found landed.
    """
    with open_folder(target.parent) as folder:

        def publish() -> None:
            """Give the synced file its visible name."""
            os.rename(partial, target.name, dst_dir_fd=folder)

        _write_synced(parts, partial, publish)
        # The descriptor, not the path: a folder that was replaced meanwhile must not be
        # synced in place of the one that holds the file.
        try:
            os.fsync(folder)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(target.name, dir_fd=folder)
            raise


def write_and_remove(content: bytes, partial: Path) -> None:
    """Write and sync a file, then remove it: proof that writing works. Raises OSError."""
    _write_synced([content], partial, partial.unlink)
    sync_folder(partial.parent)


def _write_synced(parts: Iterable[bytes], partial: Path, finish: Callable[[], None]) -> None:
    """Write a new file, sync it, then ``finish`` while its lock is still held."""
    descriptor = _create_locked(partial)
    try:
        with os.fdopen(descriptor, "wb", buffering=0):
            _write_all(descriptor, parts)
            os.fsync(descriptor)
            finish()
    except BaseException:
        # Ours, unacknowledged, and on a full disk it would take the space of the next try.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def _write_all(descriptor: int, parts: Iterable[bytes]) -> None:
    """Write every part to its end; raises OSError."""
    remaining = [memoryview(part) for part in parts if part]
    while remaining:
        written = os.writev(descriptor, remaining[:_MOST_BUFFERS])
        done = 0
        while done < len(remaining) and written >= len(remaining[done]):
            written -= len(remaining[done])
            done += 1
        del remaining[:done]
        if written:
            remaining[0] = remaining[0][written:]


def _create_locked(partial: Path) -> int:
    """Create a file and lock it; return its descriptor. Raises OSError.

    Another process may start between the two, find no lock, and move the file aside while it is
    empty. It holds the lock while it does so; afterwards we notice and begin again.
    """
    while True:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), partial.stat()):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
        os.close(descriptor)


def keep_id(file: Path, partials: Path) -> bytes:
    """Return the id in ``file``; if there is no such file, make it with a random id.

    The id distinguishes the folder from any other that may appear in its place. Raises OSError.
    """
    new = partials / f"id-{secrets.token_hex(8)}{PARTIAL_SUFFIX}"

    def publish() -> None:
        """Give the synced file its name, unless another process has just made one."""
        with contextlib.suppress(FileExistsError):
            os.link(new, file)  # a rename would replace the other
        new.unlink()

    if not file.exists():
        _write_synced([secrets.token_hex(16).encode()], new, publish)
    sync_folder(file.parent)
    return file.read_bytes()


def sweep_aside(partials: Path, aside: Path) -> list[Path]:
    """Move files that dead processes left half-written to ``aside``; return their new paths.

    A live writer holds a lock on its file, whichever machine it runs on, so its files stay.
    Raises OSError.
    """
    swept = []
    for left in sorted(partials.glob(f"*{PARTIAL_SUFFIX}")):
        with contextlib.suppress(FileNotFoundError), _abandoned(left) as is_abandoned:
            if is_abandoned:
                make_folder(aside)
                swept.append(left.rename(aside / left.name))
    return swept


@contextlib.contextmanager
def _abandoned(partial: Path) -> Iterator[bool]:
    """Yield whether no process is writing a file, and hold its lock meanwhile."""
    with contextlib.ExitStack() as opened:
        try:
            file = opened.enter_context(partial.open("rb"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False  # locked, gone meanwhile, or not readable
        else:
            yield True
