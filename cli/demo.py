"""`dlr demo`: the whole path on a fresh machine, from simulated pushes to a report."""

import argparse
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.padding import Padding

from cli.common import TERMS, CommandError, accounted
from cli.output import make_table
from cli.published import open_published
from cli.simulate import provider_counts, simulate_with_bar
from contract.settings import Settings, load_settings
from pipelines.folder.show import analytics_path, manifest_path
from pipelines.load import ledger
from pipelines.models.headers import WAREHOUSE
from pipelines.publish.report.store import report_path
from pipelines.sends.files import bring_in
from simulator.options import SimulationOptions
from simulator.tally import Tally

_MARK = ".dlr-demo"
_STOP_S = 20.0
_WIDTH = 120
"""Columns where standard output is not a terminal."""
_SHOWN = {
    "Outcomes of the messages": "outcomes",
    "Latency from sending to the handset": "latency",
    "Reasons for failure": "failures",
}
"""Headings of what is printed, and the query in ``warehouse/demo`` each comes from."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """How much, and where."""
    parser.add_argument("--messages", type=int, default=20_000, help="messages to send (20000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of all random choices (1)")
    parser.add_argument(
        "--data", type=Path, default=Path("demo-data"), help="data folder of the demo (demo-data)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the whole path; exits 1 where the numbers do not match what was sent."""
    from pipelines.runs.instance import refresh  # and with it Dagster, which is slow to import

    _fresh_folder(arguments.data)
    token = secrets.token_urlsafe(24)
    settings = _settings(arguments.data, token)
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    console.print("[bold]1[/] Start a receiver and push a day of simulated traffic at it")
    with _receiver(settings, token) as url:
        log = settings.data / "sends.csv"
        sent = simulate_with_bar(_traffic(url, log, arguments))
    console.print(
        f"  {sent.given_up:,} pushes were lost"
        if sent.given_up
        else f"  {sent.pushes:,} pushes with {sent.records:,} records in {sent.elapsed_s:.1f} s, "
        "each answered SUCCESS once it was on disk"
    )
    console.print("[bold]2[/] Run the Dagster job: decode, deduplicate, normalize, sum up, publish")
    bring_in(settings, log)
    log.unlink()
    console.print(f"  run {refresh(settings)}, which also loaded the sender's log")
    with open_published(settings) as con:
        _print_report(console, con)
        is_agreed = _print_ledger(console, con, sent)
    _print_places(console, settings)
    return 0 if is_agreed and not sent.given_up else 1


def _settings(data: Path, token: str) -> Settings:
    """Settings that nothing in the user's environment changes."""
    for name in [name for name in os.environ if name.startswith("DLR_")]:
        del os.environ[name]
    os.environ |= {
        "DLR_DATA": str(data.absolute()),
        "DLR_PUSH_TOKENS": token,
        "DLR_BIND": "127.0.0.1:0",
    }
    return load_settings(_env_file=None)


def _fresh_folder(data: Path) -> None:
    """Empty the folder of an earlier demo; any other is left alone."""
    if data.exists() and any(data.iterdir()):
        if not (data / _MARK).exists():
            raise CommandError(
                f"{data.absolute()} is not empty and was not made by a demo; "
                "choose another folder with --data."
            )
        shutil.rmtree(data)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data / _MARK).touch()


def _traffic(url: str, log: Path, arguments: argparse.Namespace) -> SimulationOptions:
    """The 24 hours before this hour, pushed at once."""
    this_hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return SimulationOptions(
        url=url,
        messages=arguments.messages,
        seed=arguments.seed,
        start=this_hour - timedelta(days=1),
        concurrency=32,
        sends=log,
    )


@contextmanager
def _receiver(settings: Settings, token: str) -> Iterator[str]:
    """Run a receiver on a free port; yields the push URL."""
    log = settings.data / "receiver.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest.server"],
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    try:
        first_line = process.stdout.readline() if process.stdout else ""
        address = re.search(r"http://[^/\s]+", first_line)
        if address is None:
            raise CommandError(f"The receiver did not start; see {log}.")
        yield f"{address[0]}/yunpian/status/{token}"
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_S)
        process.kill()
        process.wait()


def _print_report(console: Console, con: duckdb.DuckDBPyConnection) -> None:
    for heading, name in _SHOWN.items():
        relation = con.sql((WAREHOUSE / "demo" / f"{name}.sql").read_text("utf-8"))
        table = make_table(relation, relation.fetchall(), grouped=True)
        console.print(f"\n[bold]{heading}[/]", Padding(table, (0, 0, 0, 2), expand=False), sep="\n")


def _print_ledger(console: Console, con: duckdb.DuckDBPyConnection, sent: Tally) -> bool:
    """Show the conservation law, and compare it with what the provider sent."""
    last: Mapping[str, Any] = ledger.latest(con) or {}
    counts = {term: last[f"total_{term}"] for term in TERMS}
    truth = provider_counts(sent)
    is_agreed = counts == truth
    console.print("\n[bold]Ledger[/]: every record received is accounted for")
    console.print(f"  {accounted(counts)}")
    balanced = "balanced" if last["balanced"] else "NOT BALANCED"
    console.print(f"  {balanced}; fingerprint {last['fingerprint']}")
    console.print(
        "  the simulated provider's own counts are the same"
        if is_agreed
        else f"  but the simulated provider counted {accounted(truth)}"
    )
    return bool(last["balanced"]) and is_agreed


def _print_places(console: Console, settings: Settings) -> None:
    data = settings.data.absolute()
    shown = data.relative_to(Path.cwd()) if data.is_relative_to(Path.cwd()) else data
    console.print("\n[bold]Where to look next[/]")
    for path, text in (
        (report_path(settings), "the report; open it in a browser"),
        (settings.landing, "the pushes as received, in JSON Lines"),
        (analytics_path(settings), "the published database"),
        (manifest_path(settings), "the list of Parquet files"),
    ):
        console.print(f"  {path}", style="cyan", soft_wrap=True, end="")
        console.print(f"  {text}")
    console.print(
        f"  DLR_DATA={shown} ./dlr sql 'from marts.delivery_daily'\n"
        f"  DLR_DATA={shown} DLR_PUSH_TOKENS=a-token-of-yours ./dlr up",
        soft_wrap=True,
    )
