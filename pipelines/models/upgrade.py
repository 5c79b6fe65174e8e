"""A warehouse of an earlier format brought to today's; ``folder.format`` says which there are."""

import duckdb

from pipelines.models.digests import DECODING, FORMAT_1, SENDS, digests_now


def upgrade(con: duckdb.DuckDBPyConnection, old: int) -> None:
    """Bring the tables of an earlier format to today's; to be called in a transaction."""
    if old < 2:
        _upgrade_1(con)
    for table in ("ops.files", "ops.send_files"):
        con.execute(f"update {table} set state = 'quarantined' where state = 'set_apart'")


def _upgrade_1(con: duckdb.DuckDBPyConnection) -> None:
    """Note by what tables were computed.

    Of the pushes of format 1, today's rules read two kinds differently: those of which a mobile got
    a plus back, and those that count something damaged. The next run decodes their landing days
    again. The rules for the send log are the same.
    """
    con.execute("drop table if exists ops.rules")
    now = digests_now(con)
    con.execute("delete from ops.decoded_days")
    con.execute(
        """
        insert into ops.decoded_days
        select
            try_cast(regexp_extract(file, '([0-9-]{10})/[^/]*$', 1) as date) as landing_day,
            if(bool_or(repaired_mobiles > 0 or push_id in (
                select push_id from raw.rejected_records where reason = 'damaged_json'
            )), ?, ?)
        from raw.pushes
        group by landing_day
        """,
        [FORMAT_1, now.of(DECODING)],
    )
    con.execute(
        """
        update ops.send_files
        set reader = ?
        where (
            select sends_timezone from ops.sends_ledger order by sequence desc limit 1
        ) = getvariable('sends_timezone')
        """,
        [now.of(SENDS)],
    )
