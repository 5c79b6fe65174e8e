"""`dlr run`: process everything pending now."""

import argparse
from datetime import UTC, datetime

from rich.console import Console

from cli import instance
from cli.bars import byte_bar
from ingest.settings import Settings, load_settings
from pipelines import ledger
from pipelines.progress import listen
from pipelines.sendledger import latest_sends
from pipelines.warehouse import open_warehouse


def add_options(parser: argparse.ArgumentParser) -> None:
    """No options: what is pending is known."""


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001
    """Run the job and say what it did."""
    instance.private_files()
    settings = load_settings()
    started = datetime.now(UTC).replace(tzinfo=None)
    with byte_bar(Console(stderr=True), "Taking in landed files") as advance:
        listen(advance)
        run_id = instance.refresh(settings)
    print(summary(settings, run_id, started))
    return 0


def summary(settings: Settings, run_id: str, started: datetime) -> str:
    """What the run did, in one or two lines; ``started`` is naive UTC."""
    with open_warehouse(settings, read_only=True) as con:
        last, sends = ledger.latest(con), latest_sends(con)
        [(apart,)] = con.execute(
            """
            select count(*)
            from (select state from ops.files union all select state from ops.send_files)
            where state = 'set_apart'
            """
        ).fetchall()
        published, repaired, problem = con.execute(
            """
            select published_at_utc >= ?, repaired, report_problem from ops.publications
            order by published_at_utc desc
            limit 1
            """,
            [started],
        ).fetchone() or (False, None, None)
    if last is not None and last["run_id"] == run_id:
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
    if apart:
        text += f"\n{apart:,} file(s) need a person: see `dlr status`."
    return text
