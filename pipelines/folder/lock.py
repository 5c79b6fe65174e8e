"""The lock of a data folder: one process at a time works on it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout

from contract.errors import UserError
from contract.settings import Settings
from pipelines.folder.show import is_ready, show

PATIENCE_S = 60.0


class WarehouseError(UserError):
    """The warehouse cannot be used; the message says why and what to do."""


class WarehouseBusyError(WarehouseError):
    """Another process is working on it."""


@contextmanager
def pipeline_lock(settings: Settings, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Keep other processes out of the data folder; raises WarehouseBusyError after ``patience_s``.

    May be taken again by the process that holds it. A publication that a killed process left half
    shown is completed first, so that no work begins beside readers that disagree.
    """
    folder = settings.data.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(folder / "pipeline.lock", timeout=patience_s, is_singleton=True):
            show(settings)
            yield
    except Timeout as error:
        raise WarehouseBusyError(
            f"Another run is working on {folder}; waited {patience_s:g} s. Try again when it is "
            "done."
        ) from error
    except PermissionError as error:
        raise WarehouseError(f"{folder} cannot be written to: {error.strerror}.") from error


def complete_publication(settings: Settings) -> None:
    """Complete what a killed process left half shown, for readers who need no lock.

    Where the lock is held, the process that holds it has done so.
    """
    if is_ready(settings):
        with suppress(WarehouseError), pipeline_lock(settings, 0):
            pass
