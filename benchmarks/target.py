"""What must be reached, as ratios within one run: no machine's speed is in them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A bound and what was measured."""

    what: str
    measured: float
    bound: float
    at_least: bool
    """Whether the bound is a lower one."""
    of_cpu: float | None = None
    """The same ratio of CPU seconds, which other load distorts less; told, not judged."""

    @property
    def met(self) -> bool:
        """Whether the measured value keeps the bound."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def line(self) -> str:
        """Return the target in one line, with a tick or a cross."""
        sign = "≥" if self.at_least else "≤"
        cpu = "" if self.of_cpu is None else f", of CPU seconds {self.of_cpu:.3g}"
        mark = "✓" if self.met else "✗"
        return f"{mark} {self.what}: {self.measured:.3g} ({sign} {self.bound:g}{cpu})"
