"""What runs gave, medians over rounds, ratios between systems."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.receiver.load import Load
from benchmarks.receiver.processes import Usage


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One point of the matrix."""

    records: int
    """In each push."""
    connections: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run gave."""

    system: str
    """Slug."""
    cell: Cell
    round: int
    load: Load
    usage: Usage
    """CPU of the measured seconds alone; memory since the server's start."""


def pushes_per_s(sample: Sample) -> float:
    """Return the acknowledged pushes a second."""
    return sample.load.pushes_per_s


def cpu_us_per_push(sample: Sample) -> float:
    """Return the CPU microseconds of the server's processes for each acknowledged push."""
    return 1e6 * sample.usage.cpu_s / max(sample.load.pushes, 1)


def p50_us(sample: Sample) -> float:
    """Return the median microseconds to an answer."""
    return sample.load.p50_us


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over the rounds of one system in one cell; errors are summed."""

    system: str
    cell: Cell
    rounds: int
    pushes_per_s: float
    records_per_s: float
    p50_us: float
    p99_us: float
    cpu_us_per_push: float
    peak_bytes: float
    rss_bytes: float
    errors: dict[str, int]


def figures(samples: Sequence[Sample]) -> list[Figures]:
    """Summarise samples by cell and system, in the order they first appear."""
    keys = dict.fromkeys((sample.cell, sample.system) for sample in samples)
    return [_summary(select(samples, system, cell)) for cell, system in keys]


def select(samples: Sequence[Sample], system: str, cell: Cell) -> list[Sample]:
    """Return the rounds of one system in one cell."""
    return [each for each in samples if (each.system, each.cell) == (system, cell)]


def ratio(
    samples: Sequence[Sample],
    of: tuple[str, Cell],
    to: tuple[str, Cell],
    measure: Callable[[Sample], float],
) -> float | None:
    """Return the median over rounds of ``measure`` of one system divided by that of another.

    Both were measured seconds apart in each round, so what the machine did meanwhile cancels
    out as far as it can. None where a side was not measured.
    """
    dividends = {each.round: measure(each) for each in select(samples, *of)}
    divisors = {each.round: measure(each) for each in select(samples, *to)}
    quotients = [
        dividends[number] / divisors[number]
        for number in dividends.keys() & divisors.keys()
        if divisors[number]
    ]
    return median(quotients) if quotients else None


def _summary(rounds: Sequence[Sample]) -> Figures:
    first = rounds[0]
    pushes = median(map(pushes_per_s, rounds))
    return Figures(
        system=first.system,
        cell=first.cell,
        rounds=len(rounds),
        pushes_per_s=pushes,
        records_per_s=pushes * first.cell.records,
        p50_us=median(map(p50_us, rounds)),
        p99_us=median(each.load.p99_us for each in rounds),
        cpu_us_per_push=median(map(cpu_us_per_push, rounds)),
        peak_bytes=median(each.usage.peak_bytes for each in rounds),
        rss_bytes=median(each.usage.rss_bytes for each in rounds),
        errors=_sum_errors(rounds),
    )


def _sum_errors(rounds: Sequence[Sample]) -> dict[str, int]:
    kinds = sorted({kind for each in rounds for kind in each.load.errors})
    return {kind: sum(each.load.errors.get(kind, 0) for each in rounds) for kind in kinds}
