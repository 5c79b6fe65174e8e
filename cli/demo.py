"""`dlr demo`: the main job on a fresh machine, from simulated pushes to a report."""

import argparse
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from cli.instance import CommandError, private_files, refresh
from cli.simulate import simulate_with_bar
from contract.settings import Settings, load_settings
from pipelines.folder.show import analytics_path, manifest_path
from pipelines.models.headers import WAREHOUSE
from pipelines.publish.report import report_path
from pipelines.sends.files import bring_in
from simulator.options import SimulationOptions
from simulator.simulate import SimulationReport

_MARK = ".dlr-demo"
_STOP_S = 20.0
_WIDTH = 120
"""Columns where there is no terminal to ask."""
_SHOWN = {
    "[bold]What became of the messages[/]": "outcomes",
    "[bold]How long they took[/], from sending to the handset": "latency",
    "[bold]Why messages failed[/]": "failures",
}
"""What is printed, and the query in ``warehouse/demo`` it comes from."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """How much, and where."""
    parser.add_argument("--messages", type=int, default=20_000, help="messages sent (20000)")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn (1)")
    parser.add_argument(
        "--data", type=Path, default=Path("demo-data"), help="its own data folder (demo-data)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the whole path; exits 1 where the numbers do not come out as they were sent."""
    private_files()
    _fresh_folder(arguments.data)
    token = secrets.token_urlsafe(24)
    settings = _settings(arguments.data, token)
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    console.print("[bold]1[/] A receiver, and a provider that pushes a day of traffic at it")
    with _receiver(settings, token) as url:
        log = settings.data / "sends.csv"
        sent = simulate_with_bar(_traffic(url, log, arguments))
    console.print(
        f"  {sent.pushes:,} pushes with {sent.records:,} records in {sent.elapsed_s:.1f} s, "
        f"all answered SUCCESS after they were on disk"
        if not sent.given_up
        else f"  {sent.given_up:,} pushes were lost"
    )
    console.print("[bold]2[/] The Dagster job: decode, deduplicate, normalise, add up, publish")
    bring_in(settings, log)
    log.unlink()
    run_id = refresh(settings)
    console.print(f"  run {run_id}, with the sender's own log (dlr sends import)")
    with duckdb.connect(analytics_path(settings), read_only=True) as con:
        _print_report(console, con)
        agreed = _print_ledger(console, con, sent)
    _print_places(console, settings)
    return 0 if agreed and not sent.given_up else 1


def _settings(data: Path, token: str) -> Settings:
    """Settings of the demo's own: nothing of the user's environment changes what it does."""
    for name in [name for name in os.environ if name.startswith("DLR_")]:
        del os.environ[name]
    os.environ |= {
        "DLR_DATA": str(data.absolute()),
        "DLR_PUSH_TOKENS": token,
        "DLR_BIND": "127.0.0.1:0",
    }
    return load_settings(_env_file=None)


def _fresh_folder(data: Path) -> None:
    """Empty the folder of an earlier demo; anything else is left alone."""
    if data.exists() and any(data.iterdir()):
        if not (data / _MARK).exists():
            raise CommandError(
                f"{data.absolute()} is not empty and not of a demo; name another with --data."
            )
        shutil.rmtree(data)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data / _MARK).touch()


def _traffic(url: str, log: Path, arguments: argparse.Namespace) -> SimulationOptions:
    """The day before this hour, pushed in one go."""
    midnight = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    return SimulationOptions(
        url=url,
        messages=arguments.messages,
        seed=arguments.seed,
        start=midnight,
        days=1.0,
        concurrency=32,
        sends=log,
    )


@contextmanager
def _receiver(settings: Settings, token: str) -> Iterator[str]:
    """A receiver of its own on a free port; yields the push URL."""
    log = settings.data / "receiver.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest.server"],
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    try:
        first = process.stdout.readline() if process.stdout else ""
        found = re.search(r"http://[^/\s]+", first)
        if found is None:
            raise CommandError(f"The receiver did not start; {log} says why.")
        yield f"{found[0]}/yunpian/status/{token}"
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _print_report(console: Console, con: duckdb.DuckDBPyConnection) -> None:
    for title, name in _SHOWN.items():
        console.print(f"\n{title}")
        _print_rows(console, con, (WAREHOUSE / "demo" / f"{name}.sql").read_text("utf-8"))


def _print_rows(console: Console, con: duckdb.DuckDBPyConnection, query: str) -> None:
    relation = con.sql(query)
    table = Table(box=None, header_style="bold", padding=(0, 2))
    for name, kind in zip(relation.columns, relation.types, strict=True):
        table.add_column(name, justify="left" if str(kind) == "VARCHAR" else "right")
    for row in relation.fetchall():
        cells = [f"{cell:,}" if isinstance(cell, int) else str(cell or "") for cell in row]
        table.add_row(*cells)
    console.print(table)


def _print_ledger(console: Console, con: duckdb.DuckDBPyConnection, sent: SimulationReport) -> bool:
    """Show the law, and hold it against what the provider says it sent."""
    names = ("records", "messages", "duplicates", "conflicts", "rejected")
    columns = ", ".join(f"total_{name}" for name in names)
    row = con.execute(
        f"select {columns}, balanced, fingerprint from ops.ledger order by sequence desc limit 1"
    ).fetchall()[0]
    counted = dict(zip(names, row, strict=False))
    truth = {
        "records": sent.records,
        "messages": sent.distinct_sids,
        "duplicates": sent.duplicates,
        "conflicts": sent.conflicts,
        "rejected": sent.rejected,
    }
    console.print("\n[bold]The ledger[/]: records received are all accounted for")
    console.print(
        f"  {counted['records']:,} received = {counted['messages']:,} messages + "
        f"{counted['duplicates']:,} duplicates + {counted['conflicts']:,} conflicts + "
        f"{counted['rejected']:,} rejected"
    )
    balanced = bool(row[-2])
    agreed = counted == truth
    console.print(f"  {'balanced' if balanced else 'NOT BALANCED'}; fingerprint {row[-1]}")
    console.print(
        "  and the same as the simulated provider counted"
        if agreed
        else f"  but the simulated provider counted {json.dumps(truth)}"
    )
    return balanced and agreed


def _print_places(console: Console, settings: Settings) -> None:
    data = settings.data.absolute()
    shown = data.relative_to(Path.cwd()) if data.is_relative_to(Path.cwd()) else data
    console.print("\n[bold]Where to look next[/]")
    for path, text in (
        (report_path(settings), "the report, for a browser"),
        (settings.landing, "what was pushed, as it came: JSON Lines"),
        (analytics_path(settings), "the published database"),
        (manifest_path(settings), "the Parquet files, listed"),
    ):
        console.print(f"  {path}", style="cyan", soft_wrap=True, end="")
        console.print(f"  {text}")
    console.print(
        f"  DLR_DATA={shown} ./dlr sql 'from marts.delivery_daily'\n"
        f"  DLR_DATA={shown} DLR_PUSH_TOKENS=a-token-of-yours ./dlr up",
        soft_wrap=True,
    )
