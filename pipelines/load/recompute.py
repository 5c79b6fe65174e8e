"""Outdated tables that a load computes, computed again from what is stored.

Landed files are read again only where bytes would be decoded in another way, which
``decode/rules.py`` knows; marts are computed again by ``marts.py``.
"""

import time

import duckdb

from contract.progress import Progress
from pipelines import models
from pipelines.decode.decoding import decode, read_lines
from pipelines.load import changes, ledger
from pipelines.load.batch import NO_SENDS, Batch
from pipelines.load.changes import Change
from pipelines.load.retract import retract
from pipelines.load.settle import settle
from pipelines.models import Model
from pipelines.models.computed import note_computed
from pipelines.models.steps import fetch, make
from pipelines.models.warehouse import transaction
from pipelines.sends.store import store_sends

_BYTES_A_MESSAGE = 1_200
"""Of the engine's memory, what computing a message again may take: one in so many bytes."""
_MOST_IN_BATCH = 1_000_000
_LARGEST_SID = 2**63 - 1


def recompute_core(
    con: duckdb.DuckDBPyConnection, run: ledger.Run, outdated: list[Model], on_progress: Progress
) -> list[Change]:
    """Bring the tables that a load computes to what holds now; returns how messages moved.

    ``on_progress`` hears how many messages of how many are done. Messages are computed batch by
    batch; where that is cut short, the next run begins anew.
    """
    started, moved = time.monotonic(), list[Change]()
    for model in outdated:
        if model.materialized == "table":
            with transaction(con):
                models.refresh(con, model)
    if any(model.schema == "core" and model.materialized != "table" for model in outdated):
        moved = _settle_all(con, run, on_progress)
    for model in outdated:
        if "file" in model.delete_by:
            _refresh_by_file(con, model)
    seconds = time.monotonic() - started
    with transaction(con):
        if _is_empty(con):
            # nothing was computed by anything else: a first run is no news
            note_computed(con, dict.fromkeys(models.dependencies(), 0.0), None)
        else:
            names = (model.name for model in outdated)
            note_computed(con, dict.fromkeys(names, seconds), run.run_id)
    return moved


def _is_empty(con: duckdb.DuckDBPyConnection) -> bool:
    taken = "select 1 from raw.pushes union all select 1 from raw.sends limit 1"
    return not con.execute(taken).fetchall()


def _settle_all(
    con: duckdb.DuckDBPyConnection, run: ledger.Run, on_progress: Progress
) -> list[Change]:
    """Compute every message anew from the reports and sends that are stored."""
    size = max(1, min(_MOST_IN_BATCH, models.memory_limit(con) // _BYTES_A_MESSAGE))
    bounds = _first_sids(con, size)
    if not bounds:
        return []
    changes.begin(con)
    _make_empty_batch(con, run)
    total = ledger.totals(con, ledger.RECORDS)["messages"]
    for number, first in enumerate(bounds):
        last = bounds[number + 1] - 1 if number + 1 < len(bounds) else _LARGEST_SID
        with transaction(con):
            before = ledger.totals(con, ledger.RECORDS)
            _choose_messages(con, first, last, with_lone_sends=number == 0)
            ledger.record(con, run, before, 0, settle(con, again=True))
        on_progress(min(total, (number + 1) * size), total)
    return changes.compare_in_place(con, run.run_id)


def _make_empty_batch(con: duckdb.DuckDBPyConnection, run: ledger.Run) -> None:
    """Make the relations of a batch without any file."""
    read_lines(con, run.settings.landing, [])
    retract(con, Batch(), again=False)
    decode(con)
    store_sends(con, NO_SENDS, run.run_id)


def _first_sids(con: duckdb.DuckDBPyConnection, size: int) -> list[int]:
    """First sid of each batch; one batch from 0 where there are only sends without a sid."""
    con.execute(f"set variable messages_in_batch = {size}")
    lone = con.execute("from raw.sends where sid is null limit 1").fetchall()
    return [row["sid"] for row in fetch(con, "first_sids")] or [0] * bool(lone)


def _choose_messages(
    con: duckdb.DuckDBPyConnection, first: int, last: int, *, with_lone_sends: bool
) -> None:
    """Let the messages from ``first`` to ``last`` count as changed."""
    con.execute(f"set variable first_sid = cast({first} as bigint)")
    con.execute(f"set variable last_sid = cast({last} as bigint)")
    make(con, "retracted_records", "messages_of_range")
    con.execute("delete from changed_sends")
    if with_lone_sends:
        con.execute("insert into changed_sends select sid, uid from raw.sends where sid is null")


def _refresh_by_file(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    with transaction(con):
        files = f"select file from raw.pushes union select file from {model.name}"
        con.execute(f"create or replace temp table stale_files as {files}")
        models.refresh(con, model)
