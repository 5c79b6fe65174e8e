"""`dlr run`: process everything pending now."""

import argparse
from datetime import UTC, datetime

import duckdb
from rich.console import Console

from cli import instance
from cli.bars import progress_bar
from contract.progress import listen
from contract.settings import Settings, load_settings
from pipelines.landing.closed_days import survey
from pipelines.landing.registry import quarantined
from pipelines.load import ledger
from pipelines.models.warehouse import open_warehouse
from pipelines.sends.files import list_sends


def add_options(parser: argparse.ArgumentParser) -> None:
    """No options: what is pending is known."""


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001
    """Run the job and say what it did."""
    instance.private_files()
    settings = load_settings()
    started = datetime.now(UTC).replace(tzinfo=None)
    with progress_bar(Console(stderr=True), "Processing what is new") as advance:
        listen(advance)
        run_id = instance.refresh(settings)
    print(summary(settings, run_id, started))
    return 0


def summary(settings: Settings, run_id: str, started: datetime) -> str:
    """What the run did, in a few lines; ``started`` is naive UTC."""
    with open_warehouse(settings, read_only=True) as con:
        parts = [
            _taken(con, run_id) or _published(con, started),
            _repaired(con, started),
            _sends_taken(con, run_id),
            recomputed(con, run_id),
            _quarantined(con, settings),
        ]
    return "\n".join(part for part in parts if part)


def _taken(con: duckdb.DuckDBPyConnection, run_id: str) -> str:
    last = ledger.latest(con)
    if last is None or last["run_id"] != run_id or not last["files"]:
        return ""
    return (
        f"Took {last['files']:,} files, {last['pushes']:,} pushes, {last['records']:,} "
        f"records: {last['messages']:,} new messages, {last['duplicates']:,} duplicates, "
        f"{last['conflicts']:,} conflicts, {last['rejected']:,} rejected. Ledger balanced; "
        "published."
    )


def _latest_publication(
    con: duckdb.DuckDBPyConnection, started: datetime
) -> tuple[bool, str | None, str | None]:
    """Whether the run published, what it made again, and what was wrong with the report."""
    rows = con.execute(
        """
        select published_at_utc >= ?, repaired, report_problem from ops.publications
        order by published_at_utc desc
        limit 1
        """,
        [started],
    ).fetchall()
    return rows[0] if rows else (False, None, None)


def _published(con: duckdb.DuckDBPyConnection, started: datetime) -> str:
    published, repaired, _ = _latest_publication(con, started)
    if not published:
        return "Nothing new; readers have everything."
    return "No new files." if repaired else "No new files; what readers lacked was published."


def _repaired(con: duckdb.DuckDBPyConnection, started: datetime) -> str:
    published, repaired, problem = _latest_publication(con, started)
    again = f"Made again what was missing or altered: {repaired}." if published and repaired else ""
    older = f"{problem} Readers keep the report before." if problem else ""
    return "\n".join(part for part in (again, older) if part)


def _sends_taken(con: duckdb.DuckDBPyConnection, run_id: str) -> str:
    sends = ledger.latest(con, ledger.SENDS)
    if sends is None or sends["run_id"] != run_id:
        return ""
    return (
        f"Took {sends['files']:,} files of the send log, {sends['received']:,} rows: "
        f"{sends['sends']:,} sends, {sends['repeated']:,} repeated, "
        f"{sends['duplicates']:,} duplicates, {sends['rejected']:,} rejected."
    )


def _quarantined(con: duckdb.DuckDBPyConnection, settings: Settings) -> str:
    files = {
        **quarantined(con, "ops.files", survey(con, settings.landing).listing.files),
        **quarantined(con, "ops.send_files", list_sends(settings.sends)),
    }
    return f"{len(files):,} file(s) need a person: see `dlr status`." if files else ""


def recomputed(con: duckdb.DuckDBPyConnection, run_id: str) -> str:
    """Which tables the run computed again as a whole, a line each; empty where none."""
    rows = con.execute(
        "select model, rows, seconds from ops.models where run_id = ? order by model", [run_id]
    ).fetchall()
    if not rows:
        return ""
    lines = [f"  {model}: {count:,} rows, {seconds:.1f} s" for model, count, seconds in rows]
    why = "Computed again for all of history, because SQL, settings or reference data changed:"
    return "\n".join([why, *lines])
