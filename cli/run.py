"""`dlr run`: process everything pending now."""

import argparse
from datetime import UTC, datetime

import duckdb
from rich.console import Console

from cli import instance
from cli.bars import progress_bar
from ingest.settings import Settings, load_settings
from pipelines import ledger
from pipelines.notes import quarantined
from pipelines.progress import listen
from pipelines.sealed import survey
from pipelines.sendfiles import list_sends
from pipelines.sendledger import latest_sends
from pipelines.warehouse import open_warehouse


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
    """What the run did, in one or two lines; ``started`` is naive UTC."""
    with open_warehouse(settings, read_only=True) as con:
        last, sends = ledger.latest(con), latest_sends(con)
        again = recomputed(con, run_id)
        landed = survey(con, settings.landing).listing.files
        quarantined_files = {
            **quarantined(con, "ops.files", landed),
            **quarantined(con, "ops.send_files", list_sends(settings.sends)),
        }
        published, repaired, problem = con.execute(
            """
            select published_at_utc >= ?, repaired, report_problem from ops.publications
            order by published_at_utc desc
            limit 1
            """,
            [started],
        ).fetchone() or (False, None, None)
    if last is not None and last["run_id"] == run_id and last["files"]:
        text = (
            f"Took {last['files']:,} files, {last['pushes']:,} pushes, {last['records']:,} "
            f"records: {last['messages']:,} new messages, {last['duplicates']:,} duplicates, "
            f"{last['conflicts']:,} conflicts, {last['rejected']:,} rejected. Ledger balanced; "
            "published."
        )
    elif published and repaired:
        text = "No new files."
    elif published:
        text = "No new files; what readers did not have yet was published."
    else:
        text = "Nothing new; readers have everything."
    if published and repaired:
        text += f"\nMade again what was missing or altered: {repaired}."
    if problem:
        text += f"\n{problem} Readers keep the report before."
    if sends is not None and sends["run_id"] == run_id:
        text += (
            f"\nTook {sends['files']:,} files of the send log, {sends['received']:,} rows: "
            f"{sends['sends']:,} sends, {sends['repeated']:,} repeated, "
            f"{sends['duplicates']:,} duplicates, {sends['rejected']:,} rejected."
        )
    text += again
    if quarantined_files:
        text += f"\n{len(quarantined_files):,} file(s) need a person: see `dlr status`."
    return text


def recomputed(con: duckdb.DuckDBPyConnection, run_id: str) -> str:
    """Which tables the run computed again as a whole, a line each; empty where none."""
    rows = con.execute(
        "select model, rows, seconds from ops.models where run_id = ? order by model", [run_id]
    ).fetchall()
    if not rows:
        return ""
    lines = [f"  {model}: {count:,} rows, {seconds:.1f} s" for model, count, seconds in rows]
    why = "Computed again for all of history, because SQL, settings or reference data changed:"
    return "\n".join(["", why, *lines])
