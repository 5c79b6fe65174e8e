"""`dlr verify`: recount everything from the raw bytes by an independent path, and compare."""

import argparse
from collections.abc import Iterator

from cli.common import TERMS, accounted, add_day, counted, progress_bar
from contract.settings import load_settings
from pipelines.verify import Verification, verify


def add_options(parser: argparse.ArgumentParser) -> None:
    """What to recount."""
    add_day(parser, "--day", "recount one landing day only")


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 where everything agrees, 1 with the findings where not."""
    with progress_bar("Recounting landed files") as advance:
        result = verify(load_settings(), day=arguments.day, on_progress=advance)
    print("\n".join(lines(result)))
    return 0 if result.passed else 1


def lines(result: Verification) -> list[str]:
    """The recount, and what differs."""
    figures = accounted({term: getattr(result, term) for term in TERMS})
    recounted = (
        f"Recounted {counted(result.files, 'file')}, {counted(result.pushes, 'push')}, {figures}."
    )
    if result.sends:
        recounted += f" Also {counted(result.sends, 'row')} of the send log."
    notes = list(_notes(result))
    if result.passed:
        return [recounted, *notes, f"Everything agrees. fingerprint {result.fingerprint}"]
    first, *others = map(str, result.findings)
    out = [recounted, *notes, f"First difference: {first}"]
    if others:
        out += [f"{counted(len(others), 'more finding')}, in the order of the data flow:", *others]
    return out


def _notes(result: Verification) -> Iterator[str]:
    """What was not compared, though nothing is wrong with it."""
    waiting = result.pending + result.pending_sends
    if waiting:
        names = ", ".join(result.waiting) + (", …" if waiting > len(result.waiting) else "")
        yield f"Not loaded yet: {counted(waiting, 'file')} (`dlr run` loads them): {names}."
    if result.unpublished:
        yield "The newest changes are not published yet; `dlr run` publishes them."
    if result.unverified:
        names = ", ".join(result.unverified)
        yield f"Not verified because no independent recount exists: {names}."
