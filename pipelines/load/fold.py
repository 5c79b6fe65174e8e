"""Old runs of ``ops.ledger`` folded: one row a day instead of one a run.

The row of a day has the sums of its runs, and the totals and the fingerprint after the last one:
the law holds for it as for a run, and it follows from the row before. Its ``run_id`` is the day,
which files name from then on instead of the run.
"""

from datetime import date, datetime, time, timedelta

import duckdb

from pipelines import models
from pipelines.models.rows import fetch_rows
from pipelines.models.warehouse import transaction

KEEP = timedelta(days=90)
"""Days this old are folded."""
_GAINED = (
    "files",
    "pushes",
    "records",
    "messages",
    "duplicates",
    "conflicts",
    "rejected",
    "erased",
)
_FIRST = ("fingerprint_before",)
_DAY = "strftime(updated_at_utc, '%Y-%m-%d')"
_NAMING_RUNS = ("ops.files", "ops.compacted_files")


def fold_old_runs(con: duckdb.DuckDBPyConnection, today: date) -> int:
    """Fold the runs of each day (UTC) that is old enough; returns how many days.

    The day of the newest run stays, and one whose runs are not in a row, as after a clock was set.
    """
    before = datetime.combine(today - KEEP, time())
    unfolded = f"from ops.ledger where updated_at_utc < ? and run_id <> {_DAY} limit 1"
    if not con.execute(f"select 1 {unfolded}", [before]).fetchall():
        return 0
    with transaction(con):
        con.execute(
            f"""
            create or replace temp table folded_run as
            with run as (
                select
                    sequence, run_id, updated_at_utc, {_DAY} as day,
                    lag({_DAY}) over (order by sequence) is distinct from {_DAY} as begins
                from ops.ledger
            ),

            old as (
                select day
                from run
                group by day
                having
                    count(*) filter (begins) = 1
                    and max(updated_at_utc) < ?
                    and max(sequence) < (select max(sequence) from ops.ledger)
            )

            select sequence, run_id, day from run join old using (day)
            """,
            [before],
        )
        return _fold(con)


def _fold(con: duckdb.DuckDBPyConnection) -> int:
    """Replace the rows of ``folded_run`` by one for each day."""
    ledger = models.load_models()["ops.ledger"]
    figures = {name: f"last({name} order by sequence)" for name in ledger.columns}
    figures |= {name: f"sum({name})::bigint" for name in _GAINED}
    figures |= {name: f"first({name} order by sequence)" for name in _FIRST}
    figures |= {
        "run_id": "any_value(day)",
        "started_at_utc": "min(started_at_utc)",
        "updated_at_utc": "max(updated_at_utc)",
        "balanced": "bool_and(balanced)",
    }
    columns = ", ".join(f"{value} as {name}" for name, value in figures.items())
    con.execute(
        f"""
        create or replace temp table folded_day as
        select {columns}
        from (
            select ledger.*, folded_run.day
            from ops.ledger as ledger
            join folded_run using (sequence)
        )
        group by day
        """
    )
    for table in _NAMING_RUNS:
        con.execute(
            f"""
            update {table}
            set run_id = folded_run.day
            from folded_run
            where {table}.run_id = folded_run.run_id
            """
        )
    con.execute("delete from ops.ledger where sequence in (select sequence from folded_run)")
    con.execute("insert into ops.ledger by name from folded_day")
    models.mark_stale(con, ledger, "true")
    [count] = fetch_rows(con, "select count(*) as days from folded_day")
    return int(count["days"])
