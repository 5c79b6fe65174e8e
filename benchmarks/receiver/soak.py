"""A longer time at full load: errors, the tail of the latency, memory second by second."""

import time
from dataclasses import dataclass
from statistics import linear_regression, median

from benchmarks.receiver.load import Load
from benchmarks.receiver.run import Bench
from benchmarks.receiver.systems import RECEIVER
from benchmarks.receiver.targets import HEADLINE
from benchmarks.target import Target

_SETTLE_SHARE = 1 / 6
"""Of the samples, from the start: queues, buffers and the allocator find their size."""


@dataclass(frozen=True, slots=True)
class Soak:
    """What a soak gave."""

    load: Load
    records_per_s: float
    """Acknowledged."""
    memory: list[tuple[float, int]]
    """Seconds since the start and resident bytes, once a second."""

    @property
    def slope_bytes_per_s(self) -> float:
        """Growth of memory once it has settled, by least squares."""
        settled = self.memory[int(len(self.memory) * _SETTLE_SHARE) :]
        return linear_regression(*zip(*settled, strict=True)).slope

    @property
    def growth(self) -> float:
        """What that slope adds in the whole time, as a share of the median memory."""
        seconds = self.memory[-1][0] - self.memory[0][0]
        return self.slope_bytes_per_s * seconds / median(size for _, size in self.memory)

    def targets(self) -> list[Target]:
        """Return what a soak must reach."""
        tail = self.load.p99_us / self.load.p50_us
        errors = sum(self.load.errors.values())
        return [
            Target("soak: errors", errors, 0, at_least=False),
            Target("soak: p99 to p50", tail, 20, at_least=False),
            Target("soak: growth of memory", self.growth, 0.05, at_least=False),
        ]


def soak(bench: Bench, seconds: int) -> Soak:
    """Run the receiver at the headline cell for ``seconds`` and watch its memory.

    Raises LoadError, ServerError, LostPushError.
    """
    memory: list[tuple[float, int]] = []
    with bench.serving(RECEIVER, HEADLINE.records) as serving:
        began = time.monotonic()

        def watch() -> None:
            """Note the receiver's memory, and how many seconds after the begin."""
            memory.append((time.monotonic() - began, serving.server.usage().rss_bytes))

        load = serving.put_load(HEADLINE.connections, seconds, watch)
        watch()
    return Soak(load, load.pushes_per_s * HEADLINE.records, memory)
