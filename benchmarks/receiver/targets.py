"""What the receiver must reach, as ratios within one run: no machine's speed is in them."""

from collections.abc import Iterator, Sequence

from benchmarks.receiver.sample import Cell, Sample, p50_us, pushes_per_s, ratio
from benchmarks.receiver.systems import (
    DISK_PUBLISH,
    DISK_WRITE,
    FASTAPI,
    FILE_PER_PUSH,
    RECEIVER,
    UNSTORED,
)
from benchmarks.target import Target

HEADLINE = Cell(records=100, connections=64)
ALONE = Cell(records=100, connections=1)


def judge(samples: Sequence[Sample]) -> list[Target]:
    """Return every target both of whose sides were measured."""
    return [*_throughput(samples), *_latency(samples)]


def _throughput(samples: Sequence[Sample]) -> Iterator[Target]:
    for system, bound in ((UNSTORED, 0.35), (FILE_PER_PUSH, 3), (FASTAPI, 25)):
        found = ratio(samples, (RECEIVER.slug, HEADLINE), (system.slug, HEADLINE), pushes_per_s)
        if found is not None:
            yield Target(f"pushes/s to {system.label}", found, bound, at_least=True)


def _latency(samples: Sequence[Sample]) -> Iterator[Target]:
    for system in (DISK_WRITE, DISK_PUBLISH):
        found = ratio(samples, (RECEIVER.slug, ALONE), (system.slug, ALONE), p50_us)
        if found is not None:
            yield Target(f"p50 of 1 connection to {system.label}", found, 1.6, at_least=False)
