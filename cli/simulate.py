"""`dlr simulate`: act as the provider against any URL."""

import argparse
from dataclasses import fields
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from cli.instance import CommandError
from simulator.encodings import Encoding
from simulator.options import SimulationError, SimulationOptions
from simulator.simulate import SimulationReport, simulate

_DEFAULTS = {field.name: field.default for field in fields(SimulationOptions)}


def add_options(parser: argparse.ArgumentParser) -> None:
    """One flag a field of SimulationOptions."""
    parser.add_argument("url", help="push URL, http://host:port/yunpian/status/TOKEN")
    for name, kind, text in (
        ("messages", int, "messages sent in the period"),
        ("seed", int, "of everything that is drawn; the same seed gives the same bytes"),
        ("start", datetime.fromisoformat, "first instant of the period, with its zone"),
        ("days", float, "length of the period"),
        ("zone", str, "zone of the provider's naive times"),
        ("rate", float, "most new pushes per second; without, as fast as answers come"),
        ("speed", float, "simulated seconds in a real one; shortens the wait for a re-push"),
        ("concurrency", int, "most requests under way at once"),
        ("timeout_s", float, "longest wait for an answer"),
        ("batch_size", int, "most records of a push"),
        ("batch_wait_s", float, "longest simulated wait of a record for its batch to fill"),
        ("duplicates", float, "share of batches replayed whole"),
        ("conflicts", float, "share of messages reported as failed, later as delivered"),
        ("unreported", float, "share of messages that never get a report"),
        ("bad", float, "bad records made besides the good ones, per report"),
        ("damaged", float, "share of batches followed by a damaged copy"),
        ("truth", Path, "file to write the truth to (JSON Lines)"),
        ("sends", Path, "file to write the sender's log to (CSV)"),
    ):
        default = _DEFAULTS[name]
        shown = "" if default is None else f" ({default})"
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=kind, default=default, help=f"{text}{shown}"
        )
    parser.add_argument(
        "--on-schedule", action="store_true", help="let each push wait for its instant"
    )
    parser.add_argument(
        "--encoding",
        action="append",
        choices=[encoding.value for encoding in Encoding],
        help="use only this encoding; may be repeated",
    )


def run(arguments: argparse.Namespace) -> int:
    """Push everything; exits 1 where pushes were lost."""
    chosen = {name: getattr(arguments, name) for name in _DEFAULTS if hasattr(arguments, name)}
    if arguments.encoding:
        chosen["encodings"] = dict.fromkeys(map(Encoding, arguments.encoding), 1.0)
    try:
        report = simulate_with_bar(SimulationOptions(**chosen))
    except (SimulationError, OSError) as error:
        raise CommandError(f"The simulation cannot run: {error}.") from error
    print("\n".join(lines(report)))
    return 1 if report.given_up or report.abandoned else 0


def simulate_with_bar(options: SimulationOptions) -> SimulationReport:
    """Simulate, with a bar on a terminal."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("Pushing"),
        BarColumn(),
        TextColumn("{task.completed:,} of {task.total:,} messages"),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=options.messages)
        return simulate(options, lambda now: bar.update(task, completed=now.messages))


def lines(report: SimulationReport) -> list[str]:
    """What was pushed and what became of it."""
    refused = ", ".join(f"{count:,} × {cause}" for cause, count in report.refusals.items())
    latency = (
        f"; answers after {1000 * report.latency_p50_s:.0f} ms (median), "
        f"{1000 * (report.latency_p99_s or 0):.0f} ms (99 %)"
        if report.latency_p50_s is not None
        else ""
    )
    return [
        f"Pushed {report.pushes:,} batches in {report.elapsed_s:.1f} s: {report.accepted:,} "
        f"accepted, {report.repushes:,} re-pushed, {report.given_up:,} lost{latency}.",
        *([f"Not accepted: {refused}."] if refused else []),
        f"Accepted were {report.records:,} records: {report.distinct_sids:,} messages, "
        f"{report.duplicates:,} duplicates, {report.conflicts:,} conflicts, "
        f"{report.rejected:,} bad records.",
    ]
