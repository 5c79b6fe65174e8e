"""Pushes and runs, a line a minute, if there were any."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from pipelines.service.look import Look


class Minutes:
    """Counts what the looks show."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._due = time.monotonic() + every_s
        self._pushes = 0
        self._total: float | None = None
        """The receiver's own count; it begins again when the receiver does."""
        self._ended: dict[str, int] = {}
        """Runs that ended since the last line, by status."""
        self._known: set[str] = set()
        """Runs whose end has been counted."""
        self._began = datetime.now(UTC)

    def lines(self, look: Look) -> Iterator[str]:
        """Note a look; yield a line when a minute is over and something happened in it."""
        self._count_pushes(look.pushes)
        self._count_runs(look)
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self._every_s
        counts = [f"{self._pushes:,} push{'es' * (self._pushes != 1)} landed"] * (self._pushes > 0)
        for status, word in (("SUCCESS", "succeeded"), ("FAILURE", "failed")):
            if count := self._ended.get(status):
                counts.append(f"{count} run{'s' * (count != 1)} {word}")
        self._pushes, self._ended = 0, {}
        if counts:
            yield f"{', '.join(counts)}."

    def _count_pushes(self, total: float | None) -> None:
        if total is None:
            return
        before = self._total or 0.0
        self._pushes += int(total - before if total >= before else total)
        self._total = total

    def _count_runs(self, look: Look) -> None:
        if not look.runs:
            return
        ended = {
            run.run_id: run.status
            for run in look.runs
            if run.ended_at and run.ended_at > self._began
        }
        for run in ended.keys() - self._known:
            self._ended[ended[run]] = self._ended.get(ended[run], 0) + 1
        self._known = set(ended)
