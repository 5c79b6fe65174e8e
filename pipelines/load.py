"""Landed files to ``raw`` and ``core``: one slice of files, one transaction.

    files -> decode -> raw.pushes, raw.rejected_records
    sends -> read   -> raw.sends, raw.rejected_sends
          -> contested_sids -> core.* -> ops.ledger, ops.stale_hours, ops.stale_parts

A slice and the note of its files in ``ops.files`` are stored together, so a crash repeats the
slice and never doubles it. Marts and exports follow from what is marked stale.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
from pydantic import ByteSize, TypeAdapter

from ingest.settings import Settings
from pipelines import changes, ledger, models
from pipelines.changes import Change
from pipelines.decode import decode, read_lines
from pipelines.landed import LandedFile, admit, list_landed, slices
from pipelines.notes import find_problems, note_files, note_members
from pipelines.parts import parts_of
from pipelines.progress import Progress, silent
from pipelines.removal import Slice, remove
from pipelines.rules import note_rules, rules_now
from pipelines.sealed import seal, survey
from pipelines.sendfiles import SendFile, pending_sends
from pipelines.sendledger import record_sends, send_totals
from pipelines.sends import SendsRead, read_sends, store_sends
from pipelines.warehouse import load_reference, reference_version, transaction

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
    set_apart: dict[str, str] = field(default_factory=dict)
    """Files in which something needs a person, with the problem."""
    changes: list[Change] = field(default_factory=list)
    """What moved, where landing days were taken again."""
    send_files: int = 0
    """Files of the send log."""

    @property
    def took_anything(self) -> bool:
        """Whether any file was taken."""
        return bool(self.files or self.send_files)


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
    _refresh_reference(con)
    looked = survey(con, settings.landing) if days is None else None
    landed = looked.pending if looked else _files_of(settings.landing, days or ())
    # sends first: in one slice with its reports a message is settled once
    files: list[LandedFile] = [*(pending_sends(con, settings) if looked else ()), *landed]
    report = LoadReport(days={file.day for file in landed if file.day})
    run = ledger.Run(run_id, datetime.now(UTC), settings.provider_timezone)
    most_bytes = _slice_bytes(con)
    done, total = 0, sum(file.size for file in files)
    if files:
        with transaction(con):
            note_rules(con, rules_now(settings, reference_version()))
    if not looked:
        changes.begin(con)
    settled: list[ledger.ContentChange] = []
    for group in slices(files, most_bytes):
        for taken in _slices_of(con, settings, group, most_bytes):
            with transaction(con):
                settled += [_load_slice(con, settings, taken, run, report, again=not looked)]
            done += taken.part.bytes_read if taken.part else sum(file.size for file in group)
            on_progress(done, total)
    if looked:
        seal(con, settings.landing, looked.listing)
    elif files:
        _heal(con, run, settled)
        report.changes = changes.found_in_place(con, run_id)
    return report


def _heal(
    con: duckdb.DuckDBPyConnection, run: ledger.Run, settled: list[ledger.ContentChange]
) -> None:
    """Hash everything anew: what was made again may have been tampered with before."""
    with transaction(con):
        before = ledger.totals(con)
        one_row_each = all(change.one_row_each for change in settled)
        ledger.record(con, run, before, 0, ledger.content_anew(con, one_row_each=one_row_each))


def _files_of(landing: Path, days: Iterable[date | None]) -> list[LandedFile]:
    wanted = set(days)
    return [file for file in list_landed(landing) if file.day in wanted]


def _slices_of(
    con: duckdb.DuckDBPyConnection, settings: Settings, group: list[LandedFile], most_bytes: int
) -> Iterator[Slice]:
    """One transaction for the files at hand, or for a large one among them one a part."""
    sends = read_sends(con, settings, group)
    landed = [file for file in group if not isinstance(file, SendFile)]
    scratch = settings.data.absolute() / "tmp"
    for part in parts_of(settings.landing, scratch, landed, most_bytes):
        yield Slice(landed, part, sends)
        sends = SendsRead([], {})


def _slice_bytes(con: duckdb.DuckDBPyConnection) -> int:
    """Landed bytes of one slice, by the memory the engine has: the setting, or its own choice."""
    limit = con.execute("select current_setting('memory_limit')").fetchall()[0][0]
    bytes_ = TypeAdapter(ByteSize).validate_python(limit.replace("bytes", "B"))
    return min(_SLICE_BYTES, bytes_ // _SLICES_IN_MEMORY)


def _refresh_reference(con: duckdb.DuckDBPyConnection) -> None:
    """Bring ``core.carrier_errors`` to the version of the CSVs."""
    known = con.execute("select distinct reference_version from core.carrier_errors").fetchall()
    if known != [(reference_version(),)]:
        with transaction(con):
            models.refresh(con, models.load_models()["core.carrier_errors"])


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
    content = _settle_core(con, again=again)
    report.pushes += _count(con, "landed_pushes")
    report.send_files += len(taken.sends.admissions)
    report.set_apart |= taken.sends.problems
    for name, problem in find_problems(con, settings.landing, admissions, taken.part).items():
        report.set_apart.setdefault(name, problem)
    if taken.whole:
        report.files += len(taken.files)
        note_files(con, admissions, report.set_apart, run.run_id)
        if taken.part:
            note_members(con, taken.part)
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
            0 as duplicates, 0 as conflicts, coalesce(rejected.n, 0) as rejected,
            getvariable('rules_version')::varchar as rules_version
        from landed_pushes as push
        join new_pushes as found using (push_id)
        left join (select push_id, count(*) as n from new_rejects group by all) as rejected
            using (push_id)
        """
    )


def _settle_core(con: duckdb.DuckDBPyConnection, *, again: bool) -> ledger.ContentChange:
    """Compute everything about the touched messages anew, and mark what follows from it."""
    core = [model for model in models.load_models().values() if model.schema == "core"]
    steps = [one.name for one in core if one.temporary and one.name != "core.touched_content"]
    models.run_temporary(con, (*steps, "raw.repeated_before"))
    before = ledger.touched_content(con)
    if again:
        changes.remember_messages(con)
    _mark_messages(con)
    for model in core:
        if model.name == "core.sms_status":
            models.replace(con, model)
        elif model.refresh.startswith("sid in"):
            models.refresh(con, model)
    after = ledger.touched_content(con)
    _mark_messages(con)
    _attribute_repetitions(con)
    models.run_temporary(con, ("ops.touched_files",))
    models.refresh(con, models.load_models()["ops.ledger_by_file"])
    return ledger.ContentChange(before, after, after.messages == ledger.reported_messages(con))


def _mark_messages(con: duckdb.DuckDBPyConnection) -> None:
    """Remember the hours and exported parts in which the touched messages lie.

    A send without a report is counted in the hour it was sent.
    """
    _mark_hours(con, "event", "touched_content", "event_hour_utc", "true")
    con.execute(
        """
        insert into ops.stale_parts
        select distinct 'core.sms_status', event_hour_utc::date, received_minute_utc
        from touched_content
        except
        from ops.stale_parts
        """
    )
    for scope in models.load_models()["core.sends"].scopes:
        waiting = f"waiting_hour_utc is not null and {scope}"
        _mark_hours(con, "event", "core.sends", "waiting_hour_utc", waiting)


def _attribute_repetitions(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the figures of each affected push to what its records turned out to be."""
    models.run_temporary(con, ("raw.affected_pushes", "raw.repetitions"))
    con.execute(
        """
        update raw.pushes as push
        set duplicates = repetition.duplicates,
            conflicts = repetition.conflicts,
            accepted = push.records - push.rejected - repetition.duplicates - repetition.conflicts
        from (
            select
                affected.push_id,
                coalesce(repetitions.duplicates, 0) as duplicates,
                coalesce(repetitions.conflicts, 0) as conflicts
            from affected_pushes as affected
            left join repetitions using (push_id)
        ) as repetition
        where push.push_id = repetition.push_id
            and (push.duplicates, push.conflicts)
                <> (repetition.duplicates, repetition.conflicts)
        """
    )
    every = models.load_models()
    scope = "push_id in (select push_id from affected_pushes)"
    for name in ("raw.pushes", "raw.rejected_records"):
        models.mark_stale(con, every[name], scope)
    hour = "date_trunc('hour', received_at_utc)"
    _mark_hours(con, "received", "affected_pushes", hour, "true")
    _mark_hours(con, "received", "removed_pushes", hour, "true")


def _mark_hours(
    con: duckdb.DuckDBPyConnection, clock: str, relation: str, hour: str, scope: str
) -> None:
    """Remember hours whose marts must be computed again."""
    con.execute(
        f"""
        insert into ops.stale_hours
        select distinct {models.literal(clock)}, {hour} from {relation} where {scope}
        except
        from ops.stale_hours
        """
    )
