"""`dlr simulate`: act as the provider against any URL."""

import argparse
from dataclasses import fields
from datetime import datetime
from pathlib import Path

from cli.common import CommandError, accounted, counted, progress_bar
from simulator.encodings import Encoding
from simulator.options import SimulationError, SimulationOptions
from simulator.simulate import simulate
from simulator.tally import Tally

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
        tally = simulate_with_bar(SimulationOptions(**chosen))
    except (SimulationError, OSError) as error:
        raise CommandError(f"The simulation cannot run: {error}.") from error
    print("\n".join(lines(tally)))
    return 1 if tally.given_up or tally.abandoned else 0


def simulate_with_bar(options: SimulationOptions) -> Tally:
    """Simulate, with a progress bar on a terminal."""
    with progress_bar("Pushing") as advance:
        return simulate(options, lambda now: advance(now.messages, now.total))


def provider_counts(tally: Tally) -> dict[str, int]:
    """What a receiver must have of the accepted pushes, in the terms of the conservation law."""
    return {
        "records": tally.records,
        "messages": tally.distinct_sids,
        "duplicates": tally.duplicates,
        "conflicts": tally.conflicts,
        "rejected": tally.rejected,
    }


def lines(tally: Tally) -> list[str]:
    """What was pushed and what became of it."""
    median_s, p99_s = tally.latency_s(0.50), tally.latency_s(0.99)
    latency = ""
    if median_s is not None and p99_s is not None:
        latency = (
            f"; answered in {1000 * median_s:.0f} ms (median), "
            f"{1000 * p99_s:.0f} ms (99th percentile)"
        )
    out = [
        f"Pushed {counted(tally.pushes, 'push')} in {tally.elapsed_s:.1f} s: "
        f"{tally.accepted:,} accepted, {tally.repushes:,} re-pushed, "
        f"{tally.given_up:,} lost{latency}."
    ]
    if tally.refusals:
        causes = ", ".join(f"{count:,} × {cause}" for cause, count in tally.refusals.items())
        out.append(f"Refused: {causes}.")
    return [*out, f"Accepted {accounted(provider_counts(tally))}."]
