"""`dlr simulate`: act as the provider against any URL."""

import argparse
from dataclasses import fields
from datetime import datetime
from typing import Annotated, get_args, get_origin, get_type_hints

from cli.common import CommandError, accounted, counted, progress_bar
from simulator.encodings import Encoding
from simulator.options import SimulationError, SimulationOptions
from simulator.simulate import simulate
from simulator.tally import Tally

_DEFAULTS = {field.name: field.default for field in fields(SimulationOptions)}
_FLAGS = {
    name: get_args(hint)
    for name, hint in get_type_hints(SimulationOptions, include_extras=True).items()
    if get_origin(hint) is Annotated
}
"""Type and description of each option that is a flag, by its name."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The flags among the fields of SimulationOptions."""
    parser.add_argument("url", help="push URL, http://host:port/yunpian/status/TOKEN")
    for name, (hint, text) in _FLAGS.items():
        kind = next(iter(get_args(hint)), hint)  # of `float | None` the first
        default = _DEFAULTS[name]
        shown = "" if default is None else f" ({default})"
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=datetime.fromisoformat if kind is datetime else kind,
            default=default,
            help=f"{text}{shown}",
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
    names = ("url", "on_schedule", *_FLAGS)
    chosen = {name: getattr(arguments, name) for name in names}
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
