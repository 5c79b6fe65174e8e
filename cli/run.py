"""`dlr run`: process everything pending now."""

import argparse

from rich.console import Console

from cli import instance
from cli.bars import byte_bar
from ingest.settings import Settings, load_settings
from pipelines import ledger
from pipelines.warehouse import open_warehouse


def add_options(parser: argparse.ArgumentParser) -> None:
    """No options: what is pending is known."""


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001
    """Run the job and say what it did."""
    instance.private_files()
    settings = load_settings()
    console = Console(stderr=True)
    with byte_bar(console, "Taking in landed files") as advance:
        from pipelines.progress import listen

        listen(advance)
        run_id = instance.refresh(settings)
    print(summary(settings, run_id))
    return 0


def summary(settings: Settings, run_id: str) -> str:
    """What the run did, in one or two lines."""
    with open_warehouse(settings, read_only=True) as con:
        last = ledger.latest(con)
        apart = con.execute("select count(*) from ops.files where state = 'set_apart'").fetchall()[
            0
        ][0]
    if last is None or last["run_id"] != run_id:
        text = "Nothing new; readers have everything."
    else:
        text = (
            f"Took {last['files']:,} files, {last['pushes']:,} pushes, {last['records']:,} "
            f"records: {last['messages']:,} new messages, {last['duplicates']:,} duplicates, "
            f"{last['conflicts']:,} conflicts, {last['rejected']:,} rejected. Ledger balanced; "
            "published."
        )
    if apart:
        text += f"\n{apart:,} landed file(s) need a person: see `dlr status`."
    return text
