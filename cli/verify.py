"""`dlr verify`: recount everything from the raw bytes by an independent path, and compare."""

import argparse
from collections.abc import Iterator
from datetime import date

from rich.console import Console

from cli.bars import progress_bar
from cli.instance import private_files
from contract.settings import load_settings
from pipelines.verify import Verification, verify


def add_options(parser: argparse.ArgumentParser) -> None:
    """What to recount."""
    parser.add_argument(
        "--day", type=date.fromisoformat, metavar="YYYY-MM-DD", help="one landing day only"
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 where everything agrees, 1 with the findings where not."""
    private_files()
    with progress_bar(Console(stderr=True), "Recounting landed files") as advance:
        result = verify(load_settings(), day=arguments.day, on_progress=advance)
    print("\n".join(lines(result)))
    return 0 if result.passed else 1


def lines(result: Verification) -> list[str]:
    """The recount, and what differs."""
    recounted = (
        f"Recounted {result.files:,} files, {result.pushes:,} pushes, {result.records:,} records: "
        f"{result.messages:,} messages, {result.duplicates:,} duplicates, "
        f"{result.conflicts:,} conflicts, {result.rejected:,} rejected."
    )
    if result.sends:
        recounted += f" And {result.sends:,} rows of the send log."
    notes = list(_notes(result))
    if result.passed:
        return [recounted, *notes, f"Everything agrees. fingerprint {result.fingerprint}"]
    first, *others = map(str, result.findings)
    more = [f"{len(others):,} more finding(s), in the way of the data:", *others] if others else []
    return [recounted, *notes, f"First difference: {first}", *more]


def _notes(result: Verification) -> Iterator[str]:
    """What was not compared, though nothing is wrong with it."""
    waiting = result.pending + result.pending_sends
    if waiting:
        names = ", ".join(result.waiting) + (", …" if waiting > len(result.waiting) else "")
        yield f"Not read yet, `dlr run` takes them: {waiting:,} file(s): {names}."
    if result.unpublished:
        yield "Not published yet, `dlr run` does it: the newest changes, which readers do not have."
    if result.unverified:
        yield f"Not verified, because nothing recounts them: {', '.join(result.unverified)}."
