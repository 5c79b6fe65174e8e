"""Recounts everything from the raw bytes and compares it with the ledger and the tables.

This package shares no code with the pipeline it verifies: plain Python reads the landed files, SQL
of its own in another engine (SQLite) computes the tables, and DuckDB only reads what is stored. The
scratch databases lie below ``$DLR_DATA/tmp``, so that nothing has to fit in memory.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date

from contract.settings import Settings
from pipelines.folder.lock import PATIENCE_S, pipeline_lock
from pipelines.verify.findings import Finding, Verification
from pipelines.verify.pinned import open_warehouse, pin
from pipelines.verify.recount import Recount
from pipelines.verify.scratch import scratch_folder

__all__ = ["Finding", "Verification", "verify"]


def verify(
    settings: Settings,
    *,
    day: date | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    patience_s: float = PATIENCE_S,
) -> Verification:
    """Recount and compare; ``on_progress`` hears how many bytes of how many are done.

    With a landing ``day`` only the files of that day are read: they, their pushes and rejects are
    compared, and that their messages are there; what needs all files, such as which report wins,
    is left out. The ledger, the marts and what is published are compared either way.

    Raises WarehouseBusyError where the pipeline works for longer than ``patience_s``, and
    WarehouseError where there is no warehouse, none that can be read, or no room to work.
    """
    with ExitStack() as stack:
        # what runs, publishes or compacts after this changes nothing that was pinned
        with pipeline_lock(settings, patience_s):
            folder = stack.enter_context(scratch_folder(settings.data.absolute() / "tmp"))
            pinned = pin(settings, folder)
        duck = stack.enter_context(open_warehouse(pinned))
        return Recount(pinned, duck, day, on_progress).run()
