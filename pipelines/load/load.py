"""Landed files and send files to ``raw`` and ``core``: batch after batch, each one transaction.

A batch and the registry of its files are stored together, so a crash repeats the batch and never
doubles it. Marts and exports follow from what is marked stale.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import duckdb

from contract.progress import Progress, silent
from contract.settings import Settings
from pipelines.decode.rules import days_to_upgrade, forget_decoders
from pipelines.landing.closed_partitions import close_partitions, take_inventory
from pipelines.landing.inventory import LandedFile, list_landed
from pipelines.load import changes, ledger
from pipelines.load.apply import apply
from pipelines.load.batch import batches
from pipelines.load.fold import fold_old_runs
from pipelines.load.recompute import recompute_core
from pipelines.load.report import LoadReport
from pipelines.models.computed import outdated
from pipelines.models.warehouse import load_reference, transaction
from pipelines.sends.files import pending_sends

__all__ = ["LoadReport", "load"]


def load(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    run_id: str,
    days: Iterable[date | None] | None = None,
    on_progress: Progress = silent,
) -> LoadReport:
    """Ingest every pending file, or every file of the given landing days once more.

    The day None stands for files that lie in no day's folder. ``on_progress`` hears how many bytes
    of how many are done.
    """
    load_reference(con)
    fold_old_runs(con, datetime.now(UTC).date())
    run = ledger.Run(run_id, datetime.now(UTC), settings)
    this = _Load(con, run, LoadReport(), on_progress)
    this.recompute()
    if days is None:
        days = this.ingest_pending()
    this.ingest_again(set(days))
    return this.report


@dataclass(frozen=True, slots=True)
class _Load:
    """A load in progress."""

    con: duckdb.DuckDBPyConnection
    run: ledger.Run
    report: LoadReport
    on_progress: Progress

    def recompute(self) -> None:
        """Bring what is stored to what it would be by today's models and settings."""
        tables = [model for model in outdated(self.con) if model.schema != "marts"]
        if tables:
            self.report.changes = recompute_core(self.con, self.run, tables, self.on_progress)
            self.report.recomputed = [model.name for model in tables]

    def ingest_pending(self) -> list[date | None]:
        """Ingest what is pending; returns landing days that an upgrade left to ingest again."""
        settings = self.run.settings
        inventory = take_inventory(self.con, settings.landing)
        self.report.listing = inventory.listing
        self.report.days = {file.day for file in inventory.pending if file.day}
        # sends first: in one batch with its reports a message is settled once
        self._ingest([*pending_sends(self.con, settings), *inventory.pending], again=False)
        days = days_to_upgrade(self.con, settings.landing)
        close_partitions(self.con, settings.landing, inventory.listing)
        return days

    def ingest_again(self, days: set[date | None]) -> None:
        """Ingest every file of these landing days once more, and report what moved."""
        landing = self.run.settings.landing
        files = [file for file in list_landed(landing) if file.day in days] if days else []
        if not files:
            return
        changes.begin(self.con)
        one_row_each = self._ingest(files, again=True)
        with transaction(self.con):
            ledger.record_anew(self.con, self.run, one_row_each=one_row_each)
        with transaction(self.con):
            forget_decoders(self.con, days)
        self.report.changes += changes.compare_in_place(self.con, self.run.run_id)

    def _ingest(self, files: Sequence[LandedFile], *, again: bool) -> bool:
        """Ingest files batch by batch; returns whether every changed message has one row."""
        done, total = 0, sum(file.size for file in files)
        one_row_each = True
        for batch in batches(self.con, self.run.settings, files):
            with transaction(self.con):
                content = apply(self.con, self.run, batch, self.report, again=again)
            one_row_each = one_row_each and content.one_row_each
            done += batch.bytes_read
            self.on_progress(done, total)
        return one_row_each
