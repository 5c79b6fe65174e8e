"""``python -m benchmarks.receiver``: measure, print, write results and the picture."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

from rich.console import Console

from benchmarks.receiver.load import LoadError
from benchmarks.receiver.place import (
    PlaceError,
    check_needs,
    creation_us,
    file_system,
    install_express,
    work_folder,
)
from benchmarks.receiver.processes import ServerError
from benchmarks.receiver.report import as_json, machine, show, show_soak, soak_as_json, write_json
from benchmarks.receiver.run import Bench, LostPushError
from benchmarks.receiver.sample import Cell, Sample
from benchmarks.receiver.soak import soak
from benchmarks.receiver.systems import EXPRESS, RECEIVER, SYSTEMS, System
from benchmarks.receiver.targets import judge

_RESULTS = Path(__file__).parent / "results"
_SLOW_CREATION_US = 100


def main() -> int:
    """Measure what the arguments ask for; exits 1 with one sentence if that cannot be."""
    options = _options()
    console = _console()
    try:
        check_needs([RECEIVER] if options.soak else _systems(options))
        with work_folder(options.data_dir) as work:
            _look(work, console)
            options.out.mkdir(parents=True, exist_ok=True)
            if options.soak:
                _soak(options, Bench(work), console)
            else:
                _compare(options, Bench(work), console)
    except (PlaceError, LoadError, ServerError, LostPushError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _look(work: Path, console: Console) -> None:
    """Say so where the disk would distort every figure."""
    found_us = creation_us(work)
    if found_us > _SLOW_CREATION_US:
        console.print(
            f"Creating a file takes {found_us:.0f} µs here, so figures of files will be too low: "
            "was much deleted lately? Wait five minutes, or name another --data-dir.",
            style="yellow",
        )


def _compare(options: argparse.Namespace, bench: Bench, console: Console) -> None:
    # Not before it is known that matplotlib is there, so that its lack is told in a sentence.
    from benchmarks.receiver.chart import draw

    systems = _systems(options)
    if EXPRESS in systems:
        install_express(bench.work)
    about = {"machine": machine(file_system(options.data_dir)), "seconds": options.seconds}
    samples = list(_rounds(options, bench, systems, console))
    targets = judge(samples)
    show(console, samples, targets)
    write_json(options.out / "results.json", about | as_json(samples, targets))
    draw(samples, options.out / "receiver.svg")


def _rounds(
    options: argparse.Namespace, bench: Bench, systems: Sequence[System], console: Console
) -> Iterator[Sample]:
    """Measure every cell; all systems take turns in each round, so that drift hits all alike."""
    plan = list(_plan(options, systems))
    for done, (cell, number, system) in enumerate(plan, 1):
        sample = bench.run(system, cell, number, options.seconds)
        console.print(
            f"{done} of {len(plan)}, round {number}: {cell.records} records, "
            f"{cell.connections} connections, {system.label}: "
            f"{sample.load.pushes_per_s:,.0f} pushes/s {sample.load.errors or ''}",
            soft_wrap=True,
        )
        yield sample


def _plan(
    options: argparse.Namespace, systems: Sequence[System]
) -> Iterator[tuple[Cell, int, System]]:
    cells = (Cell(*each) for each in product(options.bodies, options.connections))
    for cell, number, system in product(cells, range(1, options.rounds + 1), systems):
        # Bare writes are one after the other: they compare with one connection.
        if system.command or cell.connections == 1:
            yield cell, number, system


def _systems(options: argparse.Namespace) -> list[System]:
    return [each for each in SYSTEMS if not options.only or each.slug in options.only]


def _soak(options: argparse.Namespace, bench: Bench, console: Console) -> None:
    about = {"machine": machine(file_system(options.data_dir))}
    result = soak(bench, options.soak)
    show_soak(console, result)
    write_json(options.out / "soak.json", about | soak_as_json(result))


def _console() -> Console:
    """A console wide enough for the tables, where it is not a terminal."""
    return Console(width=None if sys.stdout.isatty() else 140)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.receiver", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=3, help="runs of each system in each cell (3)")
    add("--seconds", type=int, help="length of a run, after 1 s of warm-up (2; quick: 5)")
    add("--bodies", type=_numbers, help="records a push (1,10,100)")
    add("--connections", type=_numbers, help="(1,16,64,256)")
    add("--only", type=_slugs, default=[], help=", ".join(each.slug for each in SYSTEMS))
    add("--quick", action="store_true", help="100 records, 1 and 64 connections: 6 minutes")
    add("--soak", type=int, default=0, metavar="SECONDS", help="instead: one long run")
    add("--data-dir", type=Path, default=Path(), help="folder on the disk to measure (here)")
    add("--out", type=Path, default=_RESULTS, help="folder of the results (beside the code)")
    options = parser.parse_args()
    bodies, connections = ([100], [1, 64]) if options.quick else ([1, 10, 100], [1, 16, 64, 256])
    options.seconds = options.seconds or (5 if options.quick else 2)
    options.bodies = options.bodies or bodies
    options.connections = options.connections or connections
    return options


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def _slugs(text: str) -> list[str]:
    known, asked = {each.slug for each in SYSTEMS}, text.split(",")
    if not known.issuperset(asked):
        raise argparse.ArgumentTypeError(f"knows {', '.join(sorted(known))}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
