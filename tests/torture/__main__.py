"""Kill, stop, fill up, cut off from power, many times: ``python -m tests.torture --kills 200``."""

import argparse
import contextlib
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.torture.books import Books
from tests.torture.disks import why_no_disks
from tests.torture.kills import Kills, survivor
from tests.torture.parts import fill_the_disk, kill_parts
from tests.torture.power_cuts import NOTHING_IS_SYNCED, power_cut

FAULTS_SHOWN = 20


def main() -> int:
    """Run what is asked for; return 1 if anything was lost, torn or otherwise wrong."""
    asked = _arguments()
    # Like Ctrl-C: what is mounted is unmounted, what runs is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    say(f"seed {asked.seed}")
    good = True
    if asked.kills:
        good &= torture_by_kills(asked.kills, asked.seed, asked.receivers)
    if asked.power_cuts:
        good &= torture_by_power_cuts(asked.power_cuts, asked.seed)
    if asked.parts:
        with workplace() as folder:
            good &= kill_parts(folder, asked.parts, hangs=asked.hangs, seed=asked.seed)
    if asked.full_disk:
        with workplace() as folder:
            good &= fill_the_disk(folder, asked.full_disk)
    return 0 if good else 1


def torture_by_kills(number: int, seed: int, receivers: int) -> bool:
    """Kill so many times; say what came of it; tell whether all was well."""
    with workplace() as folder:
        kills = Kills(folder / "data", random.Random(seed))
        with contextlib.ExitStack() as stack:
            if receivers == 2:
                kills.living = stack.enter_context(survivor(kills.data, seed, kills.books))
            for _ in progress(number, "kills"):
                kills.round()
        kills.finish()
        say(f"kills under load        {kills.kills:>10,}")
        say(f"  left a partial file   {kills.kills_with_partials:>10,}")
        say(f"    torn in its midst   {kills.kills_with_torn_partials:>10,}")
        say(f"kills of a start        {kills.kills_of_a_start:>10,}")
        if not kills.kills_with_torn_partials:
            say("NO KILL HIT A WRITE IN ITS MIDST: this run says nothing about torn files.")
        return _summary([kills.books], folder)


def torture_by_power_cuts(number: int, seed: int) -> bool:
    """Cut the power so many times, then once without fsync, which must lose pushes."""
    if reason := why_no_disks():
        say(f"no power cuts: {reason}")
        return False
    with workplace() as folder:
        chance = random.Random(seed)
        cuts = [power_cut(folder / f"{cut}", chance) for cut in progress(number, "power cuts")]
        control = power_cut(folder / "control", chance, prelude=NOTHING_IS_SYNCED)
        say(f"power cuts              {number:>10,}")
        say(f"  left a partial file   {sum(bool(books.swept) for books in cuts):>10,}")
        good = _summary(cuts, folder)
        say(f"control without fsync lost {len(control.lost):,} of {len(control.acknowledged):,}")
        if not control.lost:
            say("THE CONTROL LOST NOTHING: these power cuts prove nothing.")
        return good and bool(control.lost)


def _summary(all_books: list[Books], folder: Path) -> bool:
    for what, number in (
        ("pushes acknowledged", sum(len(books.acknowledged) for books in all_books)),
        ("pushes landed", sum(len(books.landed) for books in all_books)),
        ("lost", sum(len(books.lost) for books in all_books)),
        ("torn", sum(len(books.torn) for books in all_books)),
        ("otherwise wrong", sum(len(books.strange) for books in all_books)),
        ("swept aside", sum(len(books.swept) for books in all_books)),
    ):
        say(f"{what:<24}{number:>10,}")
    faults = [fault for books in all_books for fault in books.faults]
    for fault in faults[:FAULTS_SHOWN]:
        say(f"  {fault}")
    if faults:
        say(f"  everything is kept in {folder}")
        (folder / "keep").touch()
    return not faults


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """Lend a folder; it stays if something in it says so, or if the run did not end."""
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    yield folder
    if not (folder / "keep").exists():
        shutil.rmtree(folder)


def progress(number: int, what: str) -> Iterable[int]:
    """Count, on one line of a terminal or on one in ten."""
    started, is_terminal = time.monotonic(), sys.stdout.isatty()
    for done in range(number):
        yield done
        if is_terminal or (done + 1) % max(1, number // 10) == 0:
            end = "\r" if is_terminal and done + 1 < number else "\n"
            say(f"{done + 1:,} of {number:,} {what}, {time.monotonic() - started:.0f} s", end)


def say(text: str, end: str = "\n") -> None:
    """Print at once."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=0, metavar="N")
    parser.add_argument(
        "--receivers", type=int, choices=(1, 2), default=1, help="2: another one lives through it"
    )
    parser.add_argument("--power-cuts", type=int, default=0, metavar="N", help="needs root")
    parser.add_argument("--parts", type=int, default=0, metavar="N", help="of `dlr up`, each")
    parser.add_argument("--hangs", action="store_true", help="stop each part once, too")
    parser.add_argument("--full-disk", type=int, default=0, metavar="SECONDS", help="needs root")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args()
    if not (asked.kills or asked.power_cuts or asked.parts or asked.full_disk):
        parser.error("say how many --kills, --power-cuts or --parts, or how long a --full-disk")
    return asked


if __name__ == "__main__":
    sys.exit(main())
