"""Recounts everything from the raw bytes and compares it with the ledger and the tables.

This package shares no code with the pipeline it verifies: plain Python over the landed files,
DuckDB only to read what the tables say. A figure that both ways agree on is not a figure one of
them made up.

    tables -> buckets          a copy of what the warehouse says, under the pipeline's lock
    landed files -> buckets    lines -> bodies -> elements -> reports and rejects
    bucket by bucket           pushes, messages: recounted and compared
    as a whole                 fingerprint, ledger, marts, published files

Buckets lie below ``$DLR_DATA/tmp`` and need about as much room as the landed files and the
warehouse together; one of them at a time is in memory.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date

from ingest.settings import Settings
from pipelines.lock import PATIENCE_S, pipeline_lock
from pipelines.verify.findings import Finding, Verification
from pipelines.verify.recount import Recount
from pipelines.verify.spill import scratch_folder

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
    WarehouseError where there is no warehouse, none that can be read, or no room for the buckets.
    """
    with ExitStack() as stack:
        # a run that begins after this changes nothing that was copied, nor any landed file
        with pipeline_lock(settings, patience_s):
            folder = stack.enter_context(scratch_folder(settings.data.absolute() / "tmp"))
            recount = Recount(settings, folder, day, on_progress)
            recount.copy_tables()
        recount.read_landed()
        recount.read_sends()
        recount.compare_messages()
        recount.compare_pushes()
        recount.compare_totals()
        return recount.result()
