"""Outdated tables that a load computes, computed again from what is stored.

An edited model, a changed setting or another row of the reference data is right for all of history
after one run. Landed files are read again only where bytes would be decoded in another way, which
``decoders.py`` knows; marts are computed again by ``marts.py``.
"""

import time
from pathlib import Path

import duckdb

from contract.progress import Progress
from pipelines import models
from pipelines.decode.batch import decode, read_lines
from pipelines.load import changes, ledger
from pipelines.load.changes import Change
from pipelines.load.retract import Slice, remove
from pipelines.load.settle import settle
from pipelines.models import Model
from pipelines.models.computed import note_computed
from pipelines.models.warehouse import transaction
from pipelines.sends.store import SendsRead, store_sends

_BATCH_SHARE = 1_200
"""Of the engine's memory, what computing a message again may take: one in so many bytes."""
_MOST_IN_BATCH = 1_000_000


def recompute_core(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    run: ledger.Run,
    stale: list[Model],
    on_progress: Progress,
) -> list[Change]:
    """Bring the tables that a load computes to what holds now; returns how messages moved.

    ``on_progress`` hears how many messages of how many are done. Messages are computed batch by
    batch; where that is cut short, the next run begins anew.
    """
    started, moved = time.monotonic(), list[Change]()
    for model in stale:
        if model.materialized == "table":
            with transaction(con):
                models.refresh(con, model)
    if any(model.schema == "core" and model.materialized != "table" for model in stale):
        moved = _settle_all(con, landing, run, on_progress)
    for model in stale:
        if "file" in model.delete_by:
            _refresh_by_file(con, model)
    seconds = time.monotonic() - started
    with transaction(con):
        if _is_empty(con):
            # nothing was computed by anything else: a first run is no news
            note_computed(con, dict.fromkeys(models.dependencies(), 0.0), None)
        else:
            names = (model.name for model in stale)
            note_computed(con, dict.fromkeys(names, seconds), run.run_id)
    return moved


def _is_empty(con: duckdb.DuckDBPyConnection) -> bool:
    taken = "select 1 from raw.pushes union all select 1 from raw.sends limit 1"
    return not con.execute(taken).fetchall()


def _settle_all(
    con: duckdb.DuckDBPyConnection, landing: Path, run: ledger.Run, on_progress: Progress
) -> list[Change]:
    """Compute every message anew from the reports and sends that are stored."""
    size = _batch_size(con)
    bounds = _bounds(con, size)
    if not bounds:
        return []
    changes.begin(con)
    _empty_slice(con, landing, run)
    total = ledger.totals(con).messages
    for number, first in enumerate(bounds):
        end = bounds[number + 1] if number + 1 < len(bounds) else None
        with transaction(con):
            before = ledger.totals(con)
            _take_batch(con, first, end, with_lone_sends=number == 0)
            ledger.record(con, run, before, 0, settle(con, again=True))
        on_progress(min(total, (number + 1) * size), total)
    return changes.found_in_place(con, run.run_id)


def _empty_slice(con: duckdb.DuckDBPyConnection, landing: Path, run: ledger.Run) -> None:
    """Make the relations of a slice without any file."""
    read_lines(con, landing, [])
    remove(con, Slice([], None, SendsRead([], {})), again=False)
    decode(con)
    store_sends(con, SendsRead([], {}), run.run_id)


def _batch_size(con: duckdb.DuckDBPyConnection) -> int:
    """Messages of one transaction, by the memory the engine has."""
    return max(1, min(_MOST_IN_BATCH, models.memory_limit(con) // _BATCH_SHARE))


def _bounds(con: duckdb.DuckDBPyConnection, size: int) -> list[int]:
    """First sid of each batch."""
    rows = con.execute(
        """
        with known as (
            select sid from core.sms_status
            union
            select sid from raw.sends where sid is not null
        ),

        numbered as (
            select sid, row_number() over (order by sid) as number
            from known
        )

        select sid from numbered where number % ? = 1 or ? = 1 order by sid
        """,
        [size, size],
    ).fetchall()
    lone = con.execute("from raw.sends where sid is null limit 1").fetchall()
    return [sid for (sid,) in rows] or [0] * bool(lone)


def _take_batch(
    con: duckdb.DuckDBPyConnection, first: int, end: int | None, *, with_lone_sends: bool
) -> None:
    """Let the messages from ``first`` to before ``end`` count as touched."""
    scope = f"sid >= {first}" + (f" and sid < {end}" if end is not None else "")
    con.execute(
        f"""
        create or replace temp table retracted_records as
        select sid from core.sms_status where {scope}
        union
        select sid from raw.sends where {scope}
        """
    )
    con.execute("delete from changed_sends")
    if with_lone_sends:
        con.execute("insert into changed_sends select sid, uid from raw.sends where sid is null")


def _refresh_by_file(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    with transaction(con):
        con.execute(
            "create or replace temp table stale_files as "
            f"select file from raw.pushes union select file from {model.name}"
        )
        models.refresh(con, model)
