"""``python -m benchmarks.pipeline``: makes the data, runs everything, prints ratios, draws them."""

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.pipeline.chart import draw
from benchmarks.pipeline.data import land, sends_file, simulated
from benchmarks.pipeline.outcome import Outcome
from benchmarks.pipeline.report import as_json, show
from benchmarks.pipeline.run import (
    LOADING,
    PRODUCT,
    RunError,
    grow_day,
    grow_history,
    run_once,
    run_system,
)
from benchmarks.pipeline.targets import DLT, DLT_PART, FLOOR, PANDAS, POLARS, Results, judge

_MILLION = 1_000_000
_PEERS_UP_TO = 10 * _MILLION
"""What reads everything into memory is left out above this."""
_FEW, _MANY = 20, 1_000
_SMALL_PUSHES = 1_000
_WIDTH = 110
"""Columns where there is no terminal to ask."""
_SECTIONS = ("full", "bounded", "small", "history", "day")


def main(words: Sequence[str] | None = None) -> int:
    """Measure what was asked for; exits 1 where a target is missed or a system fails."""
    arguments = _parser().parse_args(words)
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    results = Results()
    try:
        with tempfile.TemporaryDirectory(prefix=".benchmark-", dir=arguments.data_dir) as folder:
            for section in arguments.only:
                _SECTION[section](Path(folder), arguments, results, console)
    except RunError as error:
        console.print(f"{error}", style="red", markup=False)
        return 1
    targets = judge(results)
    show(console, results, targets)
    if arguments.json:
        arguments.json.write_text(as_json(results, targets), "utf-8")
    if arguments.picture:
        draw(results, arguments.picture)
    return 0 if all(target.met for target in targets) else 1


def _full(work: Path, arguments: argparse.Namespace, results: Results, console: Console) -> None:
    """Every system over the same landed files, in turn, some rounds."""
    for millions in arguments.records:
        records = millions * _MILLION
        landed = _landed(work, records, arguments, console)
        found = results.full.setdefault(records, {})
        for number in range(arguments.rounds):
            for system in (FLOOR, PRODUCT, POLARS, PANDAS):
                is_peer = system in (PANDAS, POLARS)
                if is_peer and (number > 0 or records > _PEERS_UP_TO):
                    continue
                console.print(f"{records:,} records, round {number + 1}: {system}")
                found.setdefault(system, []).append(run_once(system, landed, work))
        if records == _MILLION:
            found[DLT] = [_dlt(work, arguments, console)]


def _dlt(work: Path, arguments: argparse.Namespace, console: Console) -> Outcome:
    landed = _landed(work, _MILLION // DLT_PART, arguments, console)
    outcome = run_once(DLT, landed, work)
    return dataclasses.replace(outcome, seconds=outcome.seconds * DLT_PART)


def _bounded(work: Path, arguments: argparse.Namespace, results: Results, console: Console) -> None:
    landed = _landed(work, 10 * _MILLION, arguments, console)
    console.print("10,000,000 records with DLR_MEMORY_LIMIT=1GB")
    results.bounded = run_once(PRODUCT, landed, work, "--memory-limit", "1GB")


def _small(work: Path, arguments: argparse.Namespace, results: Results, console: Console) -> None:
    """Runs that find nothing, and the same pushes in few and in many files."""
    console.print("runs that find nothing; 1,000 pushes in 20 files and in 1,000")
    idle = work / "idle"
    land(simulated(_MILLION // 10, sends_file(idle) if arguments.sends else None), idle)
    run_system(PRODUCT, str(idle))
    results.empty = [run_system(PRODUCT, str(idle)) for _ in range(arguments.rounds)]
    for files in (_FEW, _MANY):
        folder = work / f"{files}-files"
        land(simulated(_SMALL_PUSHES * 100), folder, per_file=_SMALL_PUSHES // files)
        results.files[files] = [run_once(LOADING, folder, work) for _ in range(arguments.rounds)]


def _history(work: Path, arguments: argparse.Namespace, results: Results, console: Console) -> None:
    sizes = [millions * _MILLION for millions in arguments.histories]
    for growth in grow_history(work, sizes, arguments.rounds, with_sends=arguments.sends):
        console.print(f"100,000 more into {growth.history}: {growth.seconds:.2f} s")
        results.history.append(growth)


def _day(work: Path, arguments: argparse.Namespace, results: Results, console: Console) -> None:
    sizes = (10_000, 5 * _MILLION)
    for growths, spread in ((results.day, False), (results.late, True)):
        found = grow_day(work, sizes, arguments.rounds, spread=spread, with_sends=arguments.sends)
        for growth in found:
            where = "all over the day" if spread else "in its last hour"
            console.print(f"100,000 more, {where}, into {growth.history}: {growth.seconds:.2f} s")
            growths.append(growth)


_SECTION = dict(zip(_SECTIONS, (_full, _bounded, _small, _history, _day), strict=True))


def _landed(work: Path, records: int, arguments: argparse.Namespace, console: Console) -> Path:
    """Make landed files once for all that use them."""
    folder = work / f"landed-{records}"
    if not folder.exists():
        console.print(f"making {records:,} records")
        land(simulated(records, sends_file(folder) if arguments.sends else None), folder)
    return folder


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--records", type=int, nargs="*", default=[1], help="millions (1)")
    parser.add_argument(
        "--histories", type=int, nargs="*", default=[1, 10], help="millions; 50 takes long (1 10)"
    )
    parser.add_argument("--only", nargs="*", choices=_SECTIONS, default=_SECTIONS)
    parser.add_argument(
        "--sends", action="store_true", help="the product also takes a complete send log"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement (3)")
    parser.add_argument("--data-dir", type=Path, default=Path(), help="where to work (here)")
    parser.add_argument("--json", type=Path, help="where to write the results")
    parser.add_argument("--picture", type=Path, help="where to draw them (SVG)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
