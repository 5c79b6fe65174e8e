"""`dlr simulate`: act as the provider against any URL."""

import argparse
from dataclasses import fields
from datetime import datetime
from pathlib import Path

from cli.common import CommandError, accounted, counted, progress_bar
from simulator.encodings import Encoding
from simulator.options import SimulationError, SimulationOptions
from simulator.simulate import SimulationReport, simulate

_DEFAULTS = {field.name: field.default for field in fields(SimulationOptions)}
_OPTIONS = (
    ("messages", int, "messages sent in the period"),
    ("seed", int, "seed of all random choices; the same seed gives the same bytes"),
    ("start", datetime.fromisoformat, "start of the period, with its UTC offset"),
    ("days", float, "length of the period"),
    ("zone", str, "time zone of the provider's naive times"),
    ("rate", float, "limit of new pushes per second; by default as fast as answers come"),
    ("speed", float, "simulated seconds per real second; shortens the wait for a re-push"),
    ("concurrency", int, "limit of concurrent requests"),
    ("timeout_s", float, "longest wait for an answer"),
    ("batch_size", int, "limit of records per push"),
    ("batch_wait_s", float, "longest simulated time a record waits for its batch to fill"),
    ("duplicates", float, "share of batches replayed as a whole"),
    ("conflicts", float, "share of messages reported as failed, later as delivered"),
    ("unreported", float, "share of messages that never get a report"),
    ("bad", float, "bad records added per good one"),
    ("damaged", float, "share of batches followed by a damaged copy"),
    ("truth", Path, "file to write the truth to (JSON Lines)"),
    ("sends", Path, "file to write the sender's log to (CSV)"),
)
"""Name of a field of SimulationOptions, type and help of its flag."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """One flag per field of SimulationOptions."""
    parser.add_argument("url", help="push URL, http://host:port/yunpian/status/TOKEN")
    for name, kind, text in _OPTIONS:
        default = _DEFAULTS[name]
        shown = "" if default is None else f" ({default})"
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=kind, default=default, help=f"{text}{shown}"
        )
    parser.add_argument(
        "--on-schedule", action="store_true", help="send each push at its scheduled time"
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
    """Simulate, with a progress bar on a terminal."""
    with progress_bar("Pushing") as advance:
        return simulate(options, lambda now: advance(now.messages, now.total))


def provider_counts(report: SimulationReport) -> dict[str, int]:
    """What a receiver must have of the accepted pushes, in the terms of the conservation law."""
    return {
        "records": report.records,
        "messages": report.distinct_sids,
        "duplicates": report.duplicates,
        "conflicts": report.conflicts,
        "rejected": report.rejected,
    }


def lines(report: SimulationReport) -> list[str]:
    """What was pushed and what became of it."""
    latency = (
        f"; answered in {1000 * report.latency_p50_s:.0f} ms (median), "
        f"{1000 * (report.latency_p99_s or 0):.0f} ms (99th percentile)"
        if report.latency_p50_s is not None
        else ""
    )
    out = [
        f"Pushed {counted(report.pushes, 'push')} in {report.elapsed_s:.1f} s: "
        f"{report.accepted:,} accepted, {report.repushes:,} re-pushed, "
        f"{report.given_up:,} lost{latency}."
    ]
    if report.refusals:
        causes = ", ".join(f"{count:,} × {cause}" for cause, count in report.refusals.items())
        out.append(f"Refused: {causes}.")
    return [*out, f"Accepted {accounted(provider_counts(report))}."]
