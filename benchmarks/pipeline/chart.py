"""The picture: a million records by every system, and what history costs."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.pipeline.run import PRODUCT, Growth
from benchmarks.pipeline.targets import DLT, FLOOR, LABELS, PANDAS, POLARS, Results, seconds

_OURS, _FLOOR, _PEER = "#0b6e4f", "#8fb8a8", "#b9bec6"
_INK, _FAINT = "#24292f", "#6e7781"
_COLOURS = {FLOOR: _FLOOR, PRODUCT: _OURS, POLARS: _PEER, PANDAS: _PEER, DLT: _PEER}
_MILLION = 1_000_000


def draw(results: Results, file: Path) -> None:
    """Draw what was measured to an SVG."""
    # The same results make the same file.
    mpl.rcParams.update({"svg.hashsalt": "dlr", "font.family": "DejaVu Sans", "font.size": 10})
    picture = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = picture.subplots(1, 2, width_ratios=[3, 2])
    _systems(left, results)
    _growth(right, {"history": results.history, "day": results.day, "late": results.late})
    picture.savefig(file, metadata={"Date": None})


def _systems(axes: Axes, results: Results) -> None:
    found = results.full.get(_MILLION, {})
    shown = [system for system in _COLOURS if found.get(system)]
    if not shown:
        return
    values = [seconds(found[system]) for system in shown]
    colours = [_COLOURS[system] for system in shown]
    bars = axes.barh([LABELS[system] for system in shown], values, color=colours, height=0.62)
    ours = seconds(found[PRODUCT]) if PRODUCT in found else None
    notes = [
        f"{value:.1f} s  ({value / ours:.2g} ×)" if ours else f"{value:.1f}" for value in values
    ]
    axes.bar_label(bars, notes, padding=5, color=_INK)
    axes.set_xscale("log")
    axes.set_xlim(min(values) / 2, max(values) * 6)
    axes.invert_yaxis()
    _tidy(axes, "seconds for a million delivery reports (log), and times the product")


def _growth(axes: Axes, growths: dict[str, Sequence[Growth]]) -> None:
    rows = [growth for several in growths.values() for growth in several]
    if not rows:
        return
    names = {"history": "into {}", "day": "into {}", "late": "late, into {}"}
    labels = [
        names[name].format(growth.history)
        for name, several in growths.items()
        for growth in several
    ]
    bars = axes.barh(labels, [growth.seconds for growth in rows], color=_OURS, height=0.62)
    axes.bar_label(bars, [f"{growth.seconds:.2f} s" for growth in rows], padding=5, color=_INK)
    axes.set_xlim(0, max(growth.seconds for growth in rows) * 1.3)
    axes.invert_yaxis()
    _tidy(axes, "seconds for 100,000 more")


def _tidy(axes: Axes, caption: str) -> None:
    axes.set_xlabel(caption, color=_FAINT)
    axes.tick_params(length=0, colors=_FAINT)
    axes.tick_params(axis="y", labelcolor=_INK)
    axes.grid(axis="x", color="#e6e8eb", linewidth=0.8)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
