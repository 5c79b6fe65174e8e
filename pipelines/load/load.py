"""Landed files to ``raw`` and ``core``: one slice of files, one transaction.

    files -> decode -> raw.pushes, raw.rejected_records
    sends -> read   -> raw.sends, raw.rejected_sends
          -> stale_sids -> core.* -> ops.ledger, ops.stale_hours, ops.stale_parts

A slice and the note of its files in ``ops.files`` are stored together, so a crash repeats the
slice and never doubles it. Marts and exports follow from what is marked stale.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import duckdb

from contract.progress import Progress, silent
from contract.settings import Settings
from pipelines import models
from pipelines.decode.batch import decode, read_lines
from pipelines.decode.rules import days_to_upgrade, forget_decoders, note_decoder
from pipelines.landing.admission import admit
from pipelines.landing.chunks import chunks_of
from pipelines.landing.closed_partitions import close_partitions, take_inventory
from pipelines.landing.inventory import LandedFile, batches, list_landed
from pipelines.landing.problems import find_problems
from pipelines.landing.registry import LANDED_FILES, register, register_members
from pipelines.load import changes, ledger
from pipelines.load.changes import Change
from pipelines.load.recompute import recompute_core
from pipelines.load.retract import Slice, remove
from pipelines.load.sends_ledger import record_sends, send_totals
from pipelines.load.settle import settle
from pipelines.models.computed import outdated_core
from pipelines.models.warehouse import load_reference, transaction
from pipelines.sends.files import SendFile, pending_sends
from pipelines.sends.store import SendsRead, read_sends, store_sends

_SLICE_BYTES = 512 * 1024**2
_SLICES_IN_MEMORY = 10
"""A slice takes about four times its landed bytes, which are this fraction of the memory."""


@dataclass(slots=True)
class LoadReport:
    """What a load took in; figures of all its slices together."""

    files: int = 0
    pushes: int = 0
    days: set[date] = field(default_factory=set)
    """Landing days of the files."""
    quarantined: dict[str, str] = field(default_factory=dict)
    """Files in which something needs a person, with the problem."""
    changes: list[Change] = field(default_factory=list)
    """What moved, where landing days were taken again."""
    send_files: int = 0
    """Files of the send log."""
    recomputed: list[str] = field(default_factory=list)
    """Tables computed again as a whole, because what they are computed by has changed."""

    @property
    def took_anything(self) -> bool:
        """Whether any file was taken, or any table computed again."""
        return bool(self.files or self.send_files or self.recomputed)


def load(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    run_id: str,
    days: Iterable[date | None] | None = None,
    on_progress: Progress = silent,
) -> LoadReport:
    """Take in every pending file, or once more every file of the given landing days.

    The day None stands for files that lie in no day's folder.

    ``on_progress`` hears how many bytes of how many are done.
    """
    load_reference(con)
    run = ledger.Run(run_id, datetime.now(UTC), settings.provider_timezone)
    report = LoadReport()
    if stale := outdated_core(con):
        report.changes = recompute_core(con, settings.landing, run, stale, on_progress)
        report.recomputed = [model.name for model in stale]
    if days is None:
        inventory = take_inventory(con, settings.landing)
        report.days = {file.day for file in inventory.pending if file.day}
        # sends first: in one slice with its reports a message is settled once
        pending = [*pending_sends(con, settings), *inventory.pending]
        _take(con, settings, pending, run, report, on_progress, again=False)
        days = days_to_upgrade(con, settings.landing)
        close_partitions(con, settings.landing, inventory.listing)
    _take_again(con, settings, set(days), run, report, on_progress)
    return report


def _take_again(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    days: set[date | None],
    run: ledger.Run,
    report: LoadReport,
    on_progress: Progress,
) -> None:
    """Take in once more every file of these landing days."""
    files = [file for file in list_landed(settings.landing) if file.day in days] if days else []
    if not files:
        return
    changes.begin(con)
    settled = _take(con, settings, files, run, report, on_progress, again=True)
    _heal(con, run, settled)
    with transaction(con):
        forget_decoders(con, days)
    report.changes += changes.found_in_place(con, run.run_id)


def _take(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    files: Sequence[LandedFile],
    run: ledger.Run,
    report: LoadReport,
    on_progress: Progress,
    *,
    again: bool,
) -> list[ledger.ContentChange]:
    """Take in files slice by slice; returns what each did to the messages."""
    most_bytes = _slice_bytes(con)
    done, total = 0, sum(file.size for file in files)
    settled: list[ledger.ContentChange] = []
    for group in batches(files, most_bytes):
        for taken in _slices_of(con, settings, group, most_bytes):
            with transaction(con):
                settled.append(_load_slice(con, settings, taken, run, report, again=again))
            done += taken.part.bytes_read if taken.part else sum(file.size for file in group)
            on_progress(done, total)
    return settled


def _heal(
    con: duckdb.DuckDBPyConnection, run: ledger.Run, settled: list[ledger.ContentChange]
) -> None:
    """Hash everything anew: what was made again may have been tampered with before."""
    with transaction(con):
        before = ledger.totals(con)
        one_row_each = all(change.one_row_each for change in settled)
        ledger.record(con, run, before, 0, ledger.content_anew(con, one_row_each=one_row_each))


def _slices_of(
    con: duckdb.DuckDBPyConnection, settings: Settings, group: list[LandedFile], most_bytes: int
) -> Iterator[Slice]:
    """One transaction for the files at hand, or for a large one among them one a part."""
    sends = read_sends(con, settings, group)
    landed = [file for file in group if not isinstance(file, SendFile)]
    scratch = settings.data.absolute() / "tmp"
    for part in chunks_of(settings.landing, scratch, landed, most_bytes):
        yield Slice(landed, part, sends)
        sends = SendsRead([], {})


def _slice_bytes(con: duckdb.DuckDBPyConnection) -> int:
    """Landed bytes of one slice, by the memory the engine has."""
    return min(_SLICE_BYTES, models.memory_limit(con) // _SLICES_IN_MEMORY)


def _load_slice(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    taken: Slice,
    run: ledger.Run,
    report: LoadReport,
    *,
    again: bool,
) -> ledger.ContentChange:
    before, sends_before = ledger.totals(con), send_totals(con)
    admissions = [taken.part.admission] if taken.part else admit(settings.landing, taken.files)
    names = [one.file.name for one in admissions if not one.problem]
    read_lines(con, settings.landing, names, taken.part)
    remove(con, taken, again=again)
    decode(con)
    _store_raw(con)
    store_sends(con, taken.sends, run.run_id)
    content = settle(con, again=again)
    report.pushes += _count(con, "landed_pushes")
    report.send_files += len(taken.sends.admissions)
    report.quarantined |= taken.sends.problems
    for name, problem in find_problems(con, settings.landing, admissions, taken.part).items():
        report.quarantined.setdefault(name, problem)
    note_decoder(con, {file.day for file in taken.files})
    if taken.whole:
        report.files += len(taken.files)
        register(con, LANDED_FILES, admissions, report.quarantined, run.run_id)
        if taken.part:
            register_members(con, taken.part)
    ledger.record(con, run, before, len(taken.files) if taken.whole else 0, content)
    if taken.sends.admissions:
        record_sends(con, run.run_id, sends_before, len(taken.sends.admissions))
    return content


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(con.execute(f"select count(*) from {relation}").fetchall()[0][0])


def _store_raw(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("insert into raw.rejected_records by name from new_rejects")
    con.execute(
        """
        insert into raw.pushes by name
        select
            push.push_id, push.file, push.received_at_utc, push.body_bytes, push.sha256,
            found.decoding, found.records, found.repaired_mobiles,
            found.records - coalesce(rejected.n, 0) as accepted,
            0 as duplicates, 0 as conflicts, coalesce(rejected.n, 0) as rejected
        from landed_pushes as push
        join new_pushes as found using (push_id)
        left join (select push_id, count(*) as n from new_rejects group by all) as rejected
            using (push_id)
        """
    )
