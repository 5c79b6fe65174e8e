"""Tamper with a data folder in every declared way, and say what verify sees.

``python -m tests.tamper [WORD…]``: words choose the tamperings whose names hold one of them. Prints
a line for each; exits 1 if one is unseen, or if the folder that nobody touched gives a finding.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor

from tests.tamper import trial
from tests.tamper.declared import HARMLESS

_PROCESSES = 2
_WIDTH = 160


def main() -> int:
    """Try what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.tamper", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="part of a name")
    words = parser.parse_args().words
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        spawn = multiprocessing.get_context("spawn")
        unseen = total = 0
        with ProcessPoolExecutor(_PROCESSES, spawn, trial.prepare, (folder, words)) as pool:
            count = pool.submit(trial.count).result()
            for outcomes in pool.map(trial.try_number, range(trial.UNTOUCHED, count)):
                total += len(outcomes)
                unseen += sum(not outcome.seen for outcome in outcomes)
                for outcome in outcomes:
                    seen = "seen  " if outcome.seen else "UNSEEN"
                    _say(f"{seen}  {outcome.name}  {outcome.said}")
    for name, why in HARMLESS.items():
        _say(f"left out  {name}: {why}")
    _say(f"{total} tamperings, {unseen} unseen, {time.monotonic() - started:.0f} s")
    return 1 if unseen else 0


def _say(line: str) -> None:
    """Print at once, on one line."""
    sys.stdout.write(line[:_WIDTH] + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
