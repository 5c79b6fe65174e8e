"""By which rules the landed files of each day were decoded, in ``ops.decoded_days``.

What a landed byte becomes can only be computed again from the byte. Where the rules of decoding
have changed since a day was taken in, it has to be decoded again: ``dlr status`` names it.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb

from pipelines.landing.inventory import list_landed
from pipelines.models.digests import DECODING, FORMAT_1, digests_now


def note_decoder(con: duckdb.DuckDBPyConnection, days: Iterable[date | None]) -> None:
    """Remember by which rules pushes of these landing days were taken apart, in a slice."""
    decoder = digests_now(con).of(DECODING)
    for day in days:
        con.execute(
            "insert into ops.decoded_days select ?::date, ? except from ops.decoded_days",
            [day, decoder],
        )


def forget_decoders(con: duckdb.DuckDBPyConnection, days: Iterable[date | None]) -> None:
    """Forget earlier rules of landing days of which every file was taken again."""
    decoder = digests_now(con).of(DECODING)
    for day in days:
        con.execute(
            "delete from ops.decoded_days where landing_day is not distinct from ?::date "
            "and decoder <> ?",
            [day, decoder],
        )


def decoded_otherwise(con: duckdb.DuckDBPyConnection) -> list[date | None]:
    """Landing days with pushes that were decoded by rules that give something else today."""
    rows = con.execute(
        """
        select distinct landing_day
        from ops.decoded_days
        where not list_contains(?::varchar[], decoder)
        order by landing_day nulls first
        """,
        [digests_now(con).accepted(DECODING)],
    ).fetchall()
    return [day for (day,) in rows]


def days_to_upgrade(con: duckdb.DuckDBPyConnection, landing: Path) -> list[date | None]:
    """Landing days that an upgrade of the data folder left to be decoded again.

    Without those of which a file that was taken is gone: ``dlr status`` names them.
    """
    rows = con.execute(
        "select landing_day from ops.decoded_days where decoder = ?", [FORMAT_1]
    ).fetchall()
    if not rows:
        return []
    there = {file.name for file in list_landed(landing)}
    taken = con.execute(
        """
        select landing_day, coalesce(compacted.container, files.file)
        from ops.files as files
        full join ops.compacted_files as compacted using (file, landing_day)
        """
    ).fetchall()
    gone = {day for day, file in taken if file not in there}
    return [day for (day,) in rows if day not in gone]
