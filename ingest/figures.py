"""The folder in which several receivers behind one port keep the figures of their metrics.

    $TMPDIR/dlr-metrics-<unique>/
      lock                     held by the supervisor while it runs
      counter_0.db, …          figures of worker 0, mapped into its memory by the metrics library

All files are made at the start, with space for everything they will hold: a write to a mapped file
kills the process (SIGBUS) if its disk is full. A restarted worker continues the files of its
predecessor.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import values

from ingest.durable import PRIVATE_FILE
from ingest.start import StartError

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder through which processes share their figures; the library reads it on import."""

_PREFIX = "dlr-metrics-"
_KINDS = ("counter", "histogram", "gauge_max", "gauge_livesum", "gauge_livemin")
_FILE_BYTES = 1 << 16
"""Initial size of a file of the library; ours fill a tenth of it."""


@contextlib.contextmanager
def figures_folder(workers: int) -> Iterator[Path]:
    """Make the folder for a number of workers, and remove it at the end.

    Folders that killed supervisors left behind are removed first. Raises StartError if there is no
    space.
    """
    root = Path(tempfile.gettempdir())
    _remove_abandoned(root)
    with contextlib.ExitStack() as kept:
        try:
            folder = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix=_PREFIX, dir=root)))
            fcntl.flock(kept.enter_context((folder / "lock").open("wb")), fcntl.LOCK_EX)
            for kind in _KINDS:
                for worker in range(workers):
                    _allocate(folder / f"{kind}_{worker}.db")
        except OSError as error:
            cause = error.strerror or type(error).__name__
            raise StartError(
                f"Cannot keep the workers' metrics in {root}: {cause}. Free some space there, or "
                "set TMPDIR to another folder."
            ) from error
        yield folder


def keep_figures_as(worker: int) -> None:
    """Keep the figures of this process in the files of one worker, whatever its process id."""
    values.ValueClass = values.MultiProcessValue(lambda: worker)  # type: ignore[no-untyped-call]


def _allocate(file: Path) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        os.posix_fallocate(descriptor, 0, _FILE_BYTES)
    finally:
        os.close(descriptor)


def _remove_abandoned(root: Path) -> None:
    for folder in root.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (folder / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
