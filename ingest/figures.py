"""Where several receivers behind one port keep the figures of their metrics, as one.

    $TMPDIR/dlr-metrics-<unique>/
      lock                     held by the supervisor as long as it lives
      counter_0.db, …          figures of worker 0, mapped into its memory by the metrics library

All files are made at the start with room for all that may be in them: to write into a mapped file
that finds no room on its disk kills the process (SIGBUS). A worker that is started again goes on
with the files of the one before.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import values

from ingest.start import StartError

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Set before the metrics library is imported, the figures of all who share the folder are one."""

_PREFIX = "dlr-metrics-"
_KINDS = ("counter", "histogram", "gauge_max", "gauge_livesum", "gauge_livemin")
_FILE_BYTES = 1 << 16
"""What the library begins a file with; ours fill a tenth of it."""


@contextlib.contextmanager
def figures_folder(workers: int) -> Iterator[Path]:
    """Make the folder for so many workers, and remove it in the end.

    Folders that killed supervisors left behind go first. Raises StartError where there is no room.
    """
    root = Path(tempfile.gettempdir())
    _remove_abandoned(root)
    try:
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=root) as name:
            folder = Path(name)
            with (folder / "lock").open("wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                for kind in _KINDS:
                    for worker in range(workers):
                        _allocate(folder / f"{kind}_{worker}.db")
                yield folder
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise StartError(
            f"Cannot keep the workers' metrics in {root}: {cause}. Free some room there, or set "
            "TMPDIR to another folder."
        ) from error


def keep_figures_as(worker: int) -> None:
    """Keep this process's figures in the files of a worker, whatever its process id."""
    values.ValueClass = values.MultiProcessValue(lambda: worker)  # type: ignore[no-untyped-call]


def _allocate(file: Path) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, _FILE_BYTES)
    finally:
        os.close(descriptor)


def _remove_abandoned(root: Path) -> None:
    for folder in root.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (folder / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
