"""The conservation law of the send log: every row received is a send, or is accounted for.

    rows received = sends + repeated + duplicates + rejected

The left side is counted as files are read, the right side from the tables that came of them.
"""

from dataclasses import asdict, dataclass

import duckdb

from pipelines import models


@dataclass(frozen=True, slots=True)
class SendTotals:
    """Counts over all time, taken from the tables."""

    received: int
    sends: int
    repeated: int
    duplicates: int
    rejected: int

    def balanced(self) -> bool:
        """Whether the law holds."""
        return self.received == self.sends + self.repeated + self.duplicates + self.rejected


def send_totals(con: duckdb.DuckDBPyConnection) -> SendTotals:
    """Count what the tables hold."""
    row = con.execute(
        """
        select
            (select coalesce(sum(received), 0)::bigint from ops.send_files),
            (select count(*) from core.sends where match <> 'repeated'),
            (select count(*) from core.sends where match = 'repeated'),
            (select coalesce(sum(copies - 1), 0)::bigint from core.sends),
            (select count(*) from raw.rejected_sends)
        """
    ).fetchall()[0]
    return SendTotals(*row)


def record_sends(
    con: duckdb.DuckDBPyConnection, run_id: str, before: SendTotals, files: int
) -> None:
    """Enter a slice; slices of one run add up in one row."""
    after = send_totals(con)
    last = latest_sends(con)
    same_run = last if last and last["run_id"] == run_id else None
    gained = {name: total - asdict(before)[name] for name, total in asdict(after).items()}
    gained["files"] = files
    row: dict[str, object] = {
        "sequence": _number(last, "sequence") + (0 if same_run else 1),
        "run_id": run_id,
        **{name: figure + _number(same_run, name) for name, figure in gained.items()},
        **{f"total_{name}": total for name, total in asdict(after).items()},
        "balanced": after.balanced(),
    }
    con.execute("delete from ops.sends_ledger where sequence = ?", [row["sequence"]])
    con.execute(
        f"insert into ops.sends_ledger ({', '.join(row)}, sends_timezone) "
        f"values ({', '.join('?' * len(row))}, getvariable('sends_timezone'))",
        list(row.values()),
    )
    models.mark_stale(con, models.load_models()["ops.sends_ledger"], "true")


def _number(row: dict[str, object] | None, name: str) -> int:
    return int(str(row[name])) if row else 0


def latest_sends(con: duckdb.DuckDBPyConnection) -> dict[str, object] | None:
    """The newest row of ``ops.sends_ledger`` by column, or None before the first."""
    cursor = con.execute("from ops.sends_ledger order by sequence desc limit 1")
    names = [column[0] for column in cursor.description or ()]
    rows = cursor.fetchall()
    return dict(zip(names, rows[0], strict=True)) if rows else None


def describe_sends(row: dict[str, object]) -> str:
    """The law over all time, in figures."""
    names = ("sends", "repeated", "duplicates", "rejected")
    parts = " + ".join(f"{_number(row, f'total_{name}'):,} {name}" for name in names)
    return f"{_number(row, 'total_received'):,} rows of the send log received, against {parts}"
