"""Landed files to ``raw`` and ``core``: one slice of files, one transaction.

    files -> decode -> raw.pushes, raw.rejected_records
          -> contested_sids -> core.* -> ops.ledger, ops.stale_hours, ops.stale_parts

A slice and the note of its files in ``ops.files`` are stored together, so a crash repeats the
slice and never doubles it. Marts and exports follow from what is marked stale.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import duckdb
import pandas as pd
from pydantic import ByteSize, TypeAdapter

from ingest.settings import Settings
from pipelines import ledger, models
from pipelines.decode import decode
from pipelines.landed import LandedFile, admit, list_landed, pending, slices
from pipelines.notes import note_files
from pipelines.progress import Progress, silent
from pipelines.warehouse import load_reference, reference_version, transaction

_SLICE_BYTES = 512 * 1024**2
_SLICES_IN_MEMORY = 8
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


def load(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    run_id: str,
    days: Iterable[date] | None = None,
    on_progress: Progress = silent,
) -> LoadReport:
    """Take in every pending file, or once more every file of the given landing days.

    ``on_progress`` hears how many bytes of how many are done.
    """
    load_reference(con)
    _refresh_reference(con)
    if days is None:
        files = pending(con, settings.landing)
    else:
        wanted = set(days)
        files = [file for file in list_landed(settings.landing) if file.day in wanted]
    report = LoadReport(days={file.day for file in files if file.day})
    run = ledger.Run(run_id, datetime.now(UTC), settings.provider_timezone)
    done, total = 0, sum(file.size for file in files)
    for part in slices(files, _slice_bytes(con)):
        with transaction(con):
            _load_slice(con, settings, part, run, report, again=days is not None)
        done += sum(file.size for file in part)
        on_progress(done, total)
    return report


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
    files: list[LandedFile],
    run: ledger.Run,
    report: LoadReport,
    *,
    again: bool,
) -> None:
    before = ledger.totals(con)
    admissions = admit(settings.landing, files)
    _remove(con, files if again else [])
    decode(con, settings.landing, [one.file.name for one in admissions if not one.problem])
    _store_raw(con)
    content = _settle_core(con)
    if again:
        # what was made again may have been tampered with: its old hash is worth nothing
        content = ledger.content_anew(con, content)
    report.pushes += _count(con, "landed_pushes")
    report.files += len(files)
    report.set_apart |= note_files(con, settings.landing, admissions, run.run_id)
    ledger.record(con, run, before, len(files), content)


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(con.execute(f"select count(*) from {relation}").fetchall()[0][0])


def _remove(con: duckdb.DuckDBPyConnection, files: list[LandedFile]) -> None:
    """Take out what the files brought earlier; ``removed_records`` keeps what that touches."""
    names = pd.DataFrame({"file": [file.name for file in files]}, dtype="string")
    con.register("removed_files", names)
    con.execute(
        """
        create or replace temp table removed_pushes as
        select push_id, received_at_utc from raw.pushes where file in (from removed_files)
        """
    )
    con.unregister("removed_files")
    scope = "push_id in (select push_id from removed_pushes)"
    con.execute(
        f"""
        create or replace temp table removed_records as
        select sid from core.sms_status where {scope}
        union
        select sid from core.repeated_reports where {scope}
        """
    )
    if not _count(con, "removed_pushes"):
        return
    for name in ("raw.pushes", "raw.rejected_records"):
        models.mark_stale(con, models.load_models()[name], scope)
        con.execute(f"delete from {name} where {scope}")


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


def _settle_core(con: duckdb.DuckDBPyConnection) -> ledger.ContentChange:
    """Compute everything about the touched messages anew, and mark what follows from it."""
    core = [model for model in models.load_models().values() if model.schema == "core"]
    steps = [one.name for one in core if one.temporary and one.name != "core.touched_content"]
    models.run_temporary(con, (*steps, "raw.repeated_before"))
    before = ledger.touched_content(con)
    _mark_messages(con)
    for model in core:
        if model.scope == "sid in (from contested_sids)":
            (models.replace if model.name == "core.sms_status" else models.refresh)(con, model)
    after = ledger.touched_content(con)
    _mark_messages(con)
    _attribute_repetitions(con)
    return ledger.ContentChange(before, after, after.messages == ledger.reported_messages(con))


def _mark_messages(con: duckdb.DuckDBPyConnection) -> None:
    """Remember the hours and exported parts in which the touched messages lie."""
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
