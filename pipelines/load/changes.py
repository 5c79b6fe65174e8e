"""What ingesting landed data again changed: how many rows moved from what to what.

A rebuild compares the old warehouse with the new; in place, the end is compared with what each
batch found. What a push that was never ingested before brought is news, and no change.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines import models
from pipelines.models.steps import delete, insert
from pipelines.models.warehouse import transaction

_MESSAGE = "sid, error_category, country_code, range_operator, event_time_utc, delivered"
_REJECT = "push_id, position, reason, field"


class Change(NamedTuple):
    """Rows that moved in one way; the columns of ``ops.rebuild_changes``."""

    what: str
    before: str | None
    after: str | None
    rows: int


def begin(con: duckdb.DuckDBPyConnection) -> None:
    """Make the relations in which the batches to come remember things."""
    for name, columns, table in (
        ("old_messages", _MESSAGE, "core.sms_status"),
        ("old_rejects", _REJECT, "raw.rejected_records"),
        ("compared_sids", "sid", "core.sms_status"),
        ("compared_pushes", "push_id", "raw.pushes"),
        ("ingested_pushes", "push_id", "raw.pushes"),
    ):
        query = f"select {columns} from {table} where false"
        con.execute(f"create or replace temp table {name} as {query}")


def remember_pushes(con: duckdb.DuckDBPyConnection) -> None:
    """Remember the rejects of the pushes that are about to be retracted."""
    insert(con, "old_rejects", "newly_retracted_rejects")
    con.execute("insert into compared_pushes select push_id from retracted_pushes")


def remember_messages(con: duckdb.DuckDBPyConnection) -> None:
    """Remember what stands there for the changed messages, and which pushes are new."""
    models.run_temporary(con, ("newly_changed_sids",))
    insert(con, "old_messages", "newly_changed_messages")
    con.execute("insert into compared_sids from newly_changed_sids")
    fresh = "select push_id from landed_pushes except from compared_pushes"
    con.execute(f"insert into ingested_pushes {fresh}")


def compare_in_place(con: duckdb.DuckDBPyConnection, run_id: str) -> list[Change]:
    """Compare what was remembered with what stands there now, and keep the result."""
    relations = {
        "messages_before": "from old_messages",
        "messages_after": "from core.sms_status where sid in (from compared_sids)",
        "rejects_before": "from old_rejects",
        "rejects_after": "from raw.rejected_records where push_id in (from compared_pushes)",
        "fresh_pushes": "from ingested_pushes",
    }
    return _compare(con, run_id, relations)


def compare_with(con: duckdb.DuckDBPyConnection, run_id: str, path: Path) -> list[Change] | None:
    """Compare with an older warehouse, and keep the result; None where that cannot be read."""
    relations = {
        "messages_before": "from old_warehouse.core.sms_status",
        "messages_after": "from core.sms_status",
        "rejects_before": "from old_warehouse.raw.rejected_records",
        "rejects_after": "from raw.rejected_records",
        "fresh_pushes": "from raw.pushes anti join old_warehouse.raw.pushes using (push_id)",
    }
    try:
        con.execute(f"attach {models.literal(str(path))} as old_warehouse (read_only)")
    except duckdb.Error:
        return None
    try:
        moved = _compare(con, run_id, relations)
        con.execute(
            "insert into ops.rebuild_changes by name from old_warehouse.ops.rebuild_changes"
        )
    except (duckdb.CatalogException, duckdb.BinderException):
        # made by a version of the product that had other tables
        return None
    else:
        return moved
    finally:
        con.execute("detach old_warehouse")


def _compare(
    con: duckdb.DuckDBPyConnection, run_id: str, relations: Mapping[str, str]
) -> list[Change]:
    """Compare messages and rejects, but for what fresh pushes brought, and add it to the run's."""
    with transaction(con):
        for name, query in relations.items():
            con.execute(f"create or replace temp view {name} as {query}")
        con.execute(f"set variable run_id = {models.literal(run_id)}")
        steps = ("changed_messages", "changed_rejects", "counted_changes", "summed_changes")
        models.run_temporary(con, steps)
        delete(con, "ops.rebuild_changes", "run_id = getvariable('run_id')")
        con.execute("insert into ops.rebuild_changes by name from summed_changes")
        models.mark_stale(con, models.load_models()["ops.rebuild_changes"], "true")
    return [Change(*row) for row in con.execute("from counted_changes order by all").fetchall()]


def as_markdown(changes: Iterable[Change]) -> str:
    """A table for Dagster's pages."""
    rows = [
        f"| {change.what} | {change.before or '–'} | {change.after or '–'} | {change.rows:,} |"
        for change in changes
    ]
    if not rows:
        return "Nothing changed."
    return "\n".join(["| what | before | after | rows |", "|---|---|---|---:|", *rows])
