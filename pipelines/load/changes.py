"""What taking landed data again changed: how many rows moved from what to what.

A rebuild compares the old warehouse with the new. In place, each slice remembers what stood there
for the messages and pushes it touches, the first time it touches them; the end is compared with
that. What a push that was never taken before brought is news, and no change.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines import models
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
    """Make what the slices to come remember things in."""
    for name, columns, table in (
        ("old_messages", _MESSAGE, "core.sms_status"),
        ("old_rejects", _REJECT, "raw.rejected_records"),
        ("compared_sids", "sid", "core.sms_status"),
        ("compared_pushes", "push_id", "raw.pushes"),
        ("fresh_pushes", "push_id", "raw.pushes"),
    ):
        con.execute(
            f"create or replace temp table {name} as select {columns} from {table} where false"
        )


def remember_pushes(con: duckdb.DuckDBPyConnection) -> None:
    """Remember the rejects of the pushes that are about to be removed."""
    con.execute(
        f"""
        insert into old_rejects
        select {_REJECT}
        from raw.rejected_records
        where push_id in (select push_id from retracted_pushes)
            and push_id not in (select push_id from compared_pushes)
        """
    )
    con.execute("insert into compared_pushes select push_id from retracted_pushes")


def remember_messages(con: duckdb.DuckDBPyConnection) -> None:
    """Remember what stands there for the touched messages, and which pushes are new."""
    con.execute(
        """
        create or replace temp table freshly_touched as
        (select sid from new_records union select sid from stale_sids)
        except
        from compared_sids
        """
    )
    fresh = "sid in (from freshly_touched)"
    con.execute(f"insert into old_messages select {_MESSAGE} from core.sms_status where {fresh}")
    con.execute("insert into compared_sids from freshly_touched")
    con.execute(
        """
        insert into fresh_pushes
        select push_id from landed_pushes
        except
        from compared_pushes
        """
    )


def found_in_place(con: duckdb.DuckDBPyConnection, run_id: str) -> list[Change]:
    """Compare what was remembered with what stands there now, and keep the result."""
    return _compare(
        con,
        run_id,
        old=("old_messages", "old_rejects"),
        new=(
            "(from core.sms_status where sid in (from compared_sids))",
            "(from raw.rejected_records where push_id in (from compared_pushes))",
        ),
        fresh="fresh_pushes",
    )


def found_against(
    con: duckdb.DuckDBPyConnection, run_id: str, old_path: Path
) -> list[Change] | None:
    """Compare with another warehouse, and keep the result; None where that cannot be read."""
    try:
        con.execute(f"attach {models.literal(str(old_path))} as old_warehouse (read_only)")
    except duckdb.Error:
        return None
    try:
        changes = _compare(
            con,
            run_id,
            old=("old_warehouse.core.sms_status", "old_warehouse.raw.rejected_records"),
            new=("core.sms_status", "raw.rejected_records"),
            fresh="(from raw.pushes anti join old_warehouse.raw.pushes using (push_id))",
        )
        con.execute(
            "insert into ops.rebuild_changes by name from old_warehouse.ops.rebuild_changes"
        )
    except (duckdb.CatalogException, duckdb.BinderException):
        # made by a version of the product that had other tables
        return None
    else:
        return changes
    finally:
        con.execute("detach old_warehouse")


def _compare(
    con: duckdb.DuckDBPyConnection,
    run_id: str,
    old: tuple[str, str],
    new: tuple[str, str],
    fresh: str,
) -> list[Change]:
    """Compare messages and rejects, but for what the pushes in ``fresh`` brought."""
    _pair_messages(con, old[0], new[0], fresh)
    _pair_rejects(con, old[1], new[1], fresh)
    rows = con.execute(
        """
        with change as (
            select 'category' as what, old_category as before, new_category as after
            from changed_messages
            where was and still
            union all
            select 'country', old_country, new_country from changed_messages where was and still
            union all
            select 'operator', old_operator, new_operator from changed_messages where was and still
            union all
            select 'delivered', old_delivered::varchar, new_delivered::varchar
            from changed_messages
            where was and still
        )
        select what, before, after, count(*)
        from change
        where before is distinct from after
        group by all
        union all
        select 'event_time', null, null, count(*)
        from changed_messages
        where was and still and old_time is distinct from new_time
        having count(*) > 0
        union all
        select 'new', null, new_category, count(*)
        from changed_messages
        where not was
        group by all
        union all
        select 'gone', old_category, null, count(*)
        from changed_messages
        where not still
        group by all
        union all
        select 'reject', old_reason, new_reason, count(*)
        from changed_rejects
        group by all
        order by all
        """
    ).fetchall()
    changes = [Change(*row) for row in rows]
    _keep(con, run_id, changes)
    return changes


def _pair_messages(con: duckdb.DuckDBPyConnection, old: str, new: str, fresh: str) -> None:
    con.execute(
        f"""
        create or replace temp table changed_messages as
        select
            old.sid is not null as was, new.sid is not null as still,
            old.error_category as old_category, new.error_category as new_category,
            old.country_code as old_country, new.country_code as new_country,
            old.range_operator as old_operator, new.range_operator as new_operator,
            old.event_time_utc as old_time, new.event_time_utc as new_time,
            old.delivered as old_delivered, new.delivered as new_delivered
        from (select {_MESSAGE} from {old}) as old
        full join (select {_MESSAGE}, push_id from {new}) as new
            on new.sid = old.sid
        where coalesce(new.push_id not in (select push_id from {fresh}), true)
            and (
                old.sid, old.error_category, old.country_code, old.range_operator,
                old.event_time_utc, old.delivered
            ) is distinct from (
                new.sid, new.error_category, new.country_code, new.range_operator,
                new.event_time_utc, new.delivered
            )
        """
    )


def _pair_rejects(con: duckdb.DuckDBPyConnection, old: str, new: str, fresh: str) -> None:
    numbered = """
        select push_id, coalesce(position, -1) as place, reason,
            row_number() over (partition by push_id, position order by reason, field) as n
    """
    con.execute(
        f"""
        create or replace temp table changed_rejects as
        select old.reason as old_reason, new.reason as new_reason
        from ({numbered} from {old}) as old
        full join ({numbered} from {new}) as new
            on (new.push_id, new.place, new.n) = (old.push_id, old.place, old.n)
        where old.reason is distinct from new.reason
            and coalesce(new.push_id not in (select push_id from {fresh}), true)
        """
    )


def _keep(con: duckdb.DuckDBPyConnection, run_id: str, changes: Iterable[Change]) -> None:
    at = datetime.now(UTC).replace(tzinfo=None)
    with transaction(con):
        for change in changes:
            # one run may compute messages again, and then take landing days again
            way = [run_id, change.what, change.before, change.after]
            same = (
                "run_id = ? and what = ? and before is not distinct from ? "
                "and after is not distinct from ?"
            )
            known = con.execute(f"select rows from ops.rebuild_changes where {same}", way)
            rows = change.rows + sum(n for (n,) in known.fetchall())
            con.execute(f"delete from ops.rebuild_changes where {same}", way)
            con.execute(
                """
                insert into ops.rebuild_changes (run_id, found_at_utc, what, before, after, rows)
                values (?, ?, ?, ?, ?, ?)
                """,
                [run_id, at, change.what, change.before, change.after, rows],
            )
        models.mark_stale(con, models.load_models()["ops.rebuild_changes"], "true")


def as_markdown(changes: Iterable[Change]) -> str:
    """A table for Dagster's pages."""
    rows = [
        f"| {one.what} | {one.before or '–'} | {one.after or '–'} | {one.rows:,} |"
        for one in changes
    ]
    if not rows:
        return "Nothing changed."
    return "\n".join(["| what | before | after | rows |", "|---|---|---|---:|", *rows])
