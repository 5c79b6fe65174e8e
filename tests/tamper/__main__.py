"""Tamper with a data folder in every declared way, and say what verify sees.

``python -m tests.tamper [WORD…]``: words choose the tamperings whose names hold one of them. Prints
a line for each; exits 1 if one is unseen, or if the folder that nobody touched gives a finding.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

from tests.tamper.copies import Copy
from tests.tamper.declared import HARMLESS, Round, rounds
from tests.tamper.trial import Outcome, findings, try_round

_PROCESSES = 2
_WIDTH = 160
_mine: tuple[Copy, list[Round]]
"""Folder and rounds of this process."""


def main() -> int:
    """Try what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.tamper", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="part of a name")
    words = parser.parse_args().words
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        pool = multiprocessing.get_context("spawn").Pool(_PROCESSES, _prepare, (folder, words))
        with pool:
            count = pool.apply(_count)
            unseen = total = 0
            for outcomes in pool.imap(_try, range(-1, count)):
                total += len(outcomes)
                unseen += sum(outcome.said is None for outcome in outcomes)
                for outcome in outcomes:
                    said = "UNSEEN" if outcome.said is None else "seen  "
                    _say(f"{said}  {outcome.name}  {outcome.said or ''}")
    for name, why in HARMLESS.items():
        _say(f"left out  {name}: {why}")
    _say(f"{total} tamperings, {unseen} unseen, {time.monotonic() - started:.0f} s")
    return 1 if unseen else 0


def _prepare(folder: str, words: list[str]) -> None:
    """Make a folder of this process's own, and choose."""
    global _mine
    copy = Copy(Path(tempfile.mkdtemp(dir=folder)))
    chosen = [
        [one for one in tried if not words or any(word in one.name for word in words)]
        for tried in rounds(copy)
    ]
    _mine = copy, [tried for tried in chosen if tried]


def _count() -> int:
    return len(_mine[1])


def _try(number: int) -> list[Outcome]:
    """One round; -1 is the folder that nobody touched, of which nothing must be said."""
    copy, chosen = _mine
    if number >= 0:
        return try_round(copy, chosen[number])
    copy.put_back()
    said = findings(copy)
    return [Outcome(f"untouched: {said[0]}", None)] if said else []


def _say(line: str) -> None:
    """Print at once, on one line."""
    sys.stdout.write(line[:_WIDTH] + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
