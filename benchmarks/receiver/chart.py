"""The picture: throughput with ratios, and latency, at the headline cell."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.receiver.report import LABELS
from benchmarks.receiver.sample import Figures, Sample, figures, pushes_per_s, ratio
from benchmarks.receiver.systems import EXPRESS, FASTAPI, FILE_PER_PUSH, FLASK, RECEIVER, UNSTORED
from benchmarks.receiver.targets import HEADLINE

_OURS, _STACK, _PEER = "#0b6e4f", "#8fb8a8", "#b9bec6"
_INK, _FAINT = "#24292f", "#6e7781"
_COLOURS = {
    UNSTORED.slug: _STACK,
    RECEIVER.slug: _OURS,
    FILE_PER_PUSH.slug: _STACK,
    EXPRESS.slug: _PEER,
    FLASK.slug: _PEER,
    FASTAPI.slug: _PEER,
}


def draw(samples: Sequence[Sample], file: Path) -> bool:
    """Draw the headline cell to an SVG; False where it was not measured."""
    found = {each.system: each for each in figures(samples) if each.cell == HEADLINE}
    shown = [found[slug] for slug in _COLOURS if slug in found]
    if not shown:
        return False
    # The same results make the same file.
    mpl.rcParams.update({"svg.hashsalt": "dlr", "font.family": "DejaVu Sans", "font.size": 10})
    picture = Figure(figsize=(11, 0.62 * len(shown) + 1.5), layout="constrained")
    left, right = picture.subplots(1, 2, width_ratios=[3, 2], sharey=True)
    _throughput(left, samples, shown)
    _latency(right, shown)
    picture.suptitle(
        f"{HEADLINE.records} delivery reports a push, {HEADLINE.connections} connections, "
        "one machine, one run",
        color=_INK,
        fontweight="bold",
    )
    picture.savefig(file, metadata={"Date": None})
    return True


def _throughput(axes: Axes, samples: Sequence[Sample], shown: Sequence[Figures]) -> None:
    names = [LABELS[each.system] for each in shown]
    values = [each.pushes_per_s for each in shown]
    bars = axes.barh(names, values, color=[_COLOURS[each.system] for each in shown], height=0.62)
    axes.bar_label(bars, [_note(samples, each) for each in shown], padding=5, color=_INK)
    axes.set_xlim(0, max(values) * 1.42)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter("{x:,.0f}")
    _tidy(axes, "acknowledged pushes a second")


def _note(samples: Sequence[Sample], each: Figures) -> str:
    """Return the figure of a bar, and how many times that this receiver takes."""
    ours, theirs = (RECEIVER.slug, HEADLINE), (each.system, HEADLINE)
    times = ratio(samples, ours, theirs, pushes_per_s)
    figure = f"{each.pushes_per_s:,.0f}"
    if times is None or each.system == RECEIVER.slug:
        return figure
    return f"{figure}  (this receiver: {times:.2g} ×)"


def _latency(axes: Axes, shown: Sequence[Figures]) -> None:
    for row, each in enumerate(shown):
        p50_ms, p99_ms = each.p50_us / 1000, each.p99_us / 1000
        colour = _COLOURS[each.system]
        axes.plot([p50_ms, p99_ms], [row, row], color=colour, linewidth=3, zorder=1)
        axes.scatter([p50_ms], [row], color=colour, s=52, zorder=2)
        axes.scatter([p99_ms], [row], facecolor="white", edgecolor=colour, linewidth=2, s=52)
        note = f"{_short(p50_ms)} / {_short(p99_ms)}"
        axes.annotate(
            note, (p99_ms, row), (9, 0), textcoords="offset points", va="center", color=_INK
        )
    axes.set_xscale("log")
    axes.minorticks_off()
    axes.xaxis.set_major_formatter("{x:g}")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * 4)
    _tidy(axes, "ms to the answer: p50 ●, p99 ○")


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _tidy(axes: Axes, caption: str) -> None:
    axes.set_xlabel(caption, color=_FAINT)
    axes.tick_params(length=0, colors=_FAINT)
    axes.tick_params(axis="y", labelcolor=_INK)
    axes.grid(axis="x", color="#e6e8eb", linewidth=0.8)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
