"""A warehouse of an earlier format brought to today's; ``folder.format`` says which there are."""

import duckdb

from pipelines.models.digests import FORMAT_1, digests_now


def upgrade(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the tables of format 1 to those of today; to be called in a transaction.

    Of its pushes today's rules read two kinds in another way: those of which a mobile got a plus
    back, and those that count something damaged. Their landing days are decoded again by the next
    run. The rules for the send log are the same.
    """
    con.execute("drop table if exists ops.rules")
    now = digests_now(con)
    con.execute("delete from ops.decoded_days")
    con.execute(
        """
        insert into ops.decoded_days
        select
            try_cast(nullif(regexp_extract(file, '([0-9-]{10})/[^/]*$', 1), '') as date)
                as landing_day,
            case
                when bool_or(repaired_mobiles > 0)
                    or bool_or(push_id in (
                        select push_id from raw.rejected_records where reason = 'damaged_json'
                    ))
                then ?
                else ?
            end
        from raw.pushes
        group by landing_day
        """,
        [FORMAT_1, now.decoding()],
    )
    con.execute(
        """
        update ops.send_files
        set reader = ?
        where (
            select sends_timezone from ops.sends_ledger order by sequence desc limit 1
        ) = getvariable('sends_timezone')
        """,
        [now.reading_sends()],
    )
