"""The bounds the pipeline must keep, and the figures they are judged by."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.pipeline.outcome import Outcome
from benchmarks.pipeline.run import PRODUCT, Growth
from benchmarks.target import Target

FLOOR, PANDAS, POLARS, DLT = "floor", "pandas_script", "polars_script", "dlt_script"
DLT_PART = 10
"""dlt runs on this fraction of the records, and its seconds are scaled up."""
LABELS = {
    PRODUCT: "dlr, the full run",
    FLOOR: "bare floor: one statement",
    PANDAS: "plain pandas script",
    POLARS: "polars script",
    DLT: "dlt, merge on sid (a tenth, scaled)",
}


@dataclass(slots=True)
class Results:
    """Everything one benchmark measured."""

    full: dict[int, dict[str, list[Outcome]]] = field(default_factory=dict)
    """By records, by system: one outcome a round."""
    bounded: Outcome | None = None
    """10 million records with a gigabyte."""
    empty: list[Outcome] = field(default_factory=list)
    """Runs that find nothing new."""
    files: dict[int, list[Outcome]] = field(default_factory=dict)
    """1,000 pushes, by the number of landed files they lie in."""
    history: list[Growth] = field(default_factory=list)
    day: list[Growth] = field(default_factory=list)
    late: list[Growth] = field(default_factory=list)
    """As ``day``, with events spread over the day."""


def seconds(outcomes: Iterable[Outcome]) -> float:
    """Return the median seconds."""
    return median(each.seconds for each in outcomes)


def cpu_seconds(outcomes: Iterable[Outcome]) -> float:
    """Return the median CPU seconds."""
    return median(each.cpu_seconds for each in outcomes)


def times(
    found: Mapping[str, Sequence[Outcome]], dividend: str, divisor: str
) -> tuple[float, float] | None:
    """Return the medians over rounds of one system's seconds to another's, and of CPU seconds."""
    pairs = list(zip(found.get(dividend, ()), found.get(divisor, ()), strict=False))
    if not pairs:
        return None
    return (
        median(one.seconds / other.seconds for one, other in pairs),
        median(one.cpu_seconds / other.cpu_seconds for one, other in pairs),
    )


def judge(results: Results) -> list[Target]:
    """Return every target whose sides were measured."""
    return [*_full(results), *_bounded(results), *_small(results), *_growth(results)]


def _full(results: Results) -> Iterator[Target]:
    found = results.full.get(1_000_000, {})
    for dividend, divisor, bound, at_least in (
        (PRODUCT, FLOOR, 2.5, False),
        (PANDAS, PRODUCT, 3.0, True),
        (DLT, PRODUCT, 60.0, True),
    ):
        quotients = times(found, dividend, divisor)
        if quotients:
            what = f"1 M records: {LABELS[dividend]} to {LABELS[divisor]}"
            yield Target(what, quotients[0], bound, at_least, quotients[1])


def _bounded(results: Results) -> Iterator[Target]:
    if results.bounded is None:
        return
    yield Target("10 M records with 1 GB: peak GB", results.bounded.peak_bytes / 1e9, 1.6, False)
    million = results.full.get(1_000_000, {}).get(PRODUCT)
    if million:
        quotient = results.bounded.seconds / (10 * seconds(million))
        cpu = results.bounded.cpu_seconds / (10 * cpu_seconds(million))
        yield Target("10 M records with 1 GB to 10 times 1 M", quotient, 1.15, False, cpu)


def _small(results: Results) -> Iterator[Target]:
    if results.empty:
        yield Target("a run that finds nothing, seconds", seconds(results.empty), 1.0, False)
    if len(results.files) == 2:
        few, many = (results.files[count] for count in sorted(results.files))
        quotient, cpu = seconds(many) / seconds(few), cpu_seconds(many) / cpu_seconds(few)
        yield Target("1,000 pushes in 1,000 files to 20 files", quotient, 1.5, False, cpu)


def _growth(results: Results) -> Iterator[Target]:
    for growths, bound in ((results.history, 1.3), (results.day, 1.5), (results.late, 1.5)):
        for growth in growths[1:]:
            what = f"100,000 more into {growth.history} to {growths[0].history}"
            suffix = ", all over the day" if growths is results.late else ""
            quotient = growth.seconds / growths[0].seconds
            cpu = growth.cpu_seconds / growths[0].cpu_seconds
            yield Target(what + suffix, quotient, bound, False, cpu)
