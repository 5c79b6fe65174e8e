"""Rows on disk, sorted into buckets by a whole number: each bucket fits in memory, all need not."""

import marshal
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipelines.lock import WarehouseError

Row = tuple[Any, ...]
"""Plain values; the first is the whole number by which rows that belong together meet."""

_MOST_HELD = 20_000
_PREFIX, _LOCK = "verify-", "lock"
_LENGTH_BYTES = 8
_BUCKET_BYTES = 16 * 1024**2
_MOST_BUCKETS = 4_095


def buckets_for(landed_bytes: int) -> int:
    """Return how many buckets let the reports of so many landed bytes fit in memory, one by one."""
    # odd, so that sids given in even steps still spread
    return min(_MOST_BUCKETS, landed_bytes // _BUCKET_BYTES) | 1


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Make a folder for the buckets and remove it afterwards, with those of the killed.

    Raises WarehouseError where the disk is full, or the folder cannot be made.
    """
    try:
        parent.mkdir(mode=0o700, exist_ok=True)
        _sweep(parent)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        with FileLock(folder / _LOCK):
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise WarehouseError(
            f"{parent} cannot be worked in: {error.strerror}. A verification needs as much room "
            "there as the landed files and the warehouse together."
        ) from error


def _sweep(parent: Path) -> None:
    """Remove the buckets of a verification that was killed; they hold mobiles."""
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            with FileLock(folder / _LOCK, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except Timeout:
            # somebody is at work in it
            continue


class Spill:
    """Rows of one kind, in one file a bucket."""

    def __init__(self, folder: Path, name: str, buckets: int) -> None:
        self._folder, self._name = folder, name
        self._waiting: list[list[Row]] = [[] for _ in range(buckets)]
        self._held = 0

    def extend(self, rows: Iterable[Row]) -> None:
        """Add rows; the first value of each is its key."""
        waiting, buckets, held = self._waiting, len(self._waiting), 0
        for row in rows:
            # a key may be null in a table that was tampered with
            waiting[(row[0] or 0) % buckets].append(row)
            held += 1
        self._held += held
        if self._held > _MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Bring what waits to the disk."""
        for bucket, rows in enumerate(self._waiting):
            if rows:
                data = marshal.dumps(rows)
                with self._path(bucket).open("ab") as file:
                    file.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
                rows.clear()
        self._held = 0

    def rows(self, bucket: int) -> Iterator[Row]:
        """Yield the rows of a bucket, in the order they came."""
        path = self._path(bucket)
        if path.exists():
            with path.open("rb") as file:
                while length := file.read(_LENGTH_BYTES):
                    data = file.read(int.from_bytes(length, "big"))
                    yield from marshal.loads(data)  # noqa: S302  written above, in a folder of ours
        yield from self._waiting[bucket]

    def _path(self, bucket: int) -> Path:
        return self._folder / f"{self._name}-{bucket}"
