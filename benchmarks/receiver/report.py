"""Results on the terminal and as JSON."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.receiver.sample import Figures, Sample, figures, pushes_per_s, ratio
from benchmarks.receiver.soak import Soak
from benchmarks.receiver.systems import RECEIVER, SYSTEMS
from benchmarks.target import Target

LABELS = {system.slug: system.label for system in SYSTEMS}
_MIB = 1024**2
_COLUMNS = (
    *("pushes/s", "records/s", "this receiver is", "p50 ms", "p99 ms"),
    *("CPU µs/push", "peak MiB", "end MiB", "errors"),
)


def show(console: Console, samples: Sequence[Sample], targets: Sequence[Target]) -> None:
    """Print a table for each cell, then the targets."""
    for cell, group in groupby(figures(samples), lambda each: each.cell):
        title = f"{cell.records} records a push, {cell.connections} connections"
        table = Table("system", title=title, title_justify="left")
        for column in _COLUMNS:
            table.add_column(column, justify="right")
        for each in group:
            table.add_row(*_row(samples, each), style="bold" if _is_ours(each) else "")
        console.print(table)
    show_targets(console, targets)


def show_targets(console: Console, targets: Sequence[Target]) -> None:
    """Print each target beside what was measured."""
    for target in targets:
        console.print(target.line(), style="green" if target.met else "red")


def show_soak(console: Console, result: Soak) -> None:
    """Print what a soak gave."""
    load, sizes = result.load, [size / _MIB for _, size in result.memory]
    console.print(
        f"{load.seconds:.0f} s: {load.pushes_per_s:,.0f} pushes/s, "
        f"{result.records_per_s:,.0f} records/s acknowledged, "
        f"p50 {load.p50_us / 1000:.1f} ms, p99 {load.p99_us / 1000:.1f} ms, "
        f"errors {load.errors or 0}"
    )
    console.print(
        f"memory: first {sizes[0]:.1f}, last {sizes[-1]:.1f}, most {max(sizes):.1f} MiB, "
        f"slope {60 * result.slope_bytes_per_s / _MIB:+.2f} MiB/min once settled"
    )
    show_targets(console, result.targets())


def machine(file_system: str) -> dict[str, str | float | None]:
    """Describe what was measured on, without naming it."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "file_system": file_system,
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
        **{name: version(name) for name in ("falcon", "uvicorn", "uvloop", "httptools")},
    }


def write_json(file: Path, content: Mapping[str, object]) -> None:
    """Write results for machines and for the picture."""
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def as_json(samples: Sequence[Sample], targets: Sequence[Target]) -> dict[str, object]:
    """Return the results as what JSON can hold."""
    return {
        "medians": [asdict(each) for each in figures(samples)],
        "targets": [{**asdict(each), "met": each.met} for each in targets],
        "samples": [asdict(each) for each in samples],
    }


def soak_as_json(result: Soak) -> dict[str, object]:
    """Return a soak as what JSON can hold."""
    return {
        **asdict(result),
        "slope_bytes_per_s": result.slope_bytes_per_s,
        "targets": [{**asdict(each), "met": each.met} for each in result.targets()],
    }


def _is_ours(each: Figures) -> bool:
    return each.system.startswith(RECEIVER.slug)


def _row(samples: Sequence[Sample], each: Figures) -> list[str]:
    ours, theirs = (RECEIVER.slug, each.cell), (each.system, each.cell)
    times = ratio(samples, ours, theirs, pushes_per_s)
    return [
        LABELS[each.system],
        f"{each.pushes_per_s:,.0f}",
        f"{each.records_per_s:,.0f}",
        f"{times:.2f} ×" if times else "",
        f"{each.p50_us / 1000:.2f}",
        f"{each.p99_us / 1000:.2f}",
        f"{each.cpu_us_per_push:,.0f}",
        f"{each.peak_bytes / _MIB:.0f}" if each.peak_bytes else "",
        f"{each.rss_bytes / _MIB:.0f}" if each.rss_bytes else "",
        ", ".join(f"{count} {kind}" for kind, count in each.errors.items()) or "0",
    ]


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
