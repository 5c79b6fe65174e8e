"""By which rules the landed files of each day were decoded, in ``ops.decoded_days``.

What a landed byte becomes can only be computed again from the byte. Where the rules of decoding
have changed since a day was ingested, it has to be decoded again: ``dlr status`` names it.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb

from pipelines.landing.inventory import list_landed
from pipelines.models.digests import DECODING, FORMAT_1, digests_now
from pipelines.models.steps import fetch


def note_decoder(con: duckdb.DuckDBPyConnection, days: Iterable[date | None]) -> None:
    """Remember by which rules a batch decoded pushes of these landing days."""
    con.execute(
        "insert into ops.decoded_days select unnest(?::date[]), ? except from ops.decoded_days",
        [list(days), digests_now(con).of(DECODING)],
    )


def forget_decoders(con: duckdb.DuckDBPyConnection, days: Iterable[date | None]) -> None:
    """Forget earlier rules of landing days of which every file was ingested again."""
    decoder = digests_now(con).of(DECODING)
    for day in days:
        earlier = "landing_day is not distinct from ?::date and decoder <> ?"
        con.execute(f"delete from ops.decoded_days where {earlier}", [day, decoder])


def decoded_otherwise(con: duckdb.DuckDBPyConnection) -> list[date | None]:
    """Landing days with pushes that were decoded by rules that give something else today."""
    return _days(
        con, "not list_contains(?::varchar[], decoder)", digests_now(con).accepted(DECODING)
    )


def days_to_upgrade(con: duckdb.DuckDBPyConnection, landing: Path) -> list[date | None]:
    """Landing days that an upgrade of the data folder left to be decoded again.

    Without those of which an ingested file is gone: ``dlr status`` names them.
    """
    days = _days(con, "decoder = ?", FORMAT_1)
    if not days:
        return []
    there = {file.name for file in list_landed(landing)}
    ingested = fetch(con, "ingested_files")
    gone = {row["landing_day"] for row in ingested if row["file"] not in there}
    return [day for day in days if day not in gone]


def _days(
    con: duckdb.DuckDBPyConnection, scope: str, decoder: str | list[str]
) -> list[date | None]:
    days = f"select distinct landing_day from ops.decoded_days where {scope}"
    rows = con.execute(f"{days} order by landing_day nulls first", [decoder]).fetchall()
    return [day for (day,) in rows]
