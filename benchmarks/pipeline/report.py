"""Results on the terminal and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.pipeline.outcome import Outcome
from benchmarks.pipeline.run import PRODUCT
from benchmarks.pipeline.targets import LABELS, Results, seconds
from benchmarks.target import Target

_MB = 1e6


def show(console: Console, results: Results, targets: Sequence[Target]) -> None:
    """Print a table for each number of records, the growth, then the targets."""
    for records, found in results.full.items():
        console.print(_table(records, found))
    if results.bounded:
        one = results.bounded
        console.print(
            f"10 M records with 1 GB: {one.seconds:.1f} s, peak {one.peak_bytes / _MB:,.0f} MB"
        )
    for target in targets:
        console.print(target.line(), style="green" if target.met else "red")


def _table(records: int, found: Mapping[str, Sequence[Outcome]]) -> Table:
    table = Table(title=f"{records:,} records", title_justify="left")
    table.add_column("system", no_wrap=True)
    for column in (
        "seconds",
        "times dlr",
        "CPU s",
        "peak MB",
        "written MB",
        "messages",
        "delivered",
    ):
        table.add_column(column, justify="right")
    ours = seconds(found[PRODUCT]) if PRODUCT in found else None
    for system, outcomes in found.items():
        table.add_row(*_row(system, outcomes, ours), style="bold" if system == PRODUCT else "")
    return table


def _row(system: str, outcomes: Sequence[Outcome], ours: float | None) -> list[str]:
    took = seconds(outcomes)
    return [
        LABELS[system],
        f"{took:.2f}",
        f"{took / ours:.2f}" if ours else "",
        f"{median(each.cpu_seconds for each in outcomes):.2f}",
        f"{median(each.peak_bytes for each in outcomes) / _MB:,.0f}",
        f"{median(each.written_bytes for each in outcomes) / _MB:,.0f}",
        f"{outcomes[0].messages:,}",
        f"{outcomes[0].delivered:,}",
    ]


def as_json(results: Results, targets: Sequence[Target]) -> str:
    """Return everything that was measured."""
    content = {
        **asdict(results),
        "targets": [{**asdict(each), "met": each.met} for each in targets],
    }
    return json.dumps(content, indent=1) + "\n"
