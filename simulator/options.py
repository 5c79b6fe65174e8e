"""Everything that can be chosen about a simulation; each field is a flag of `dlr simulate`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator.provider import Pace
from simulator.schedule import SchedulePlan
from simulator.traffic import TrafficPlan


class SimulationError(ValueError):
    """Options that make no sense; the message says which and what would."""


@dataclass(frozen=True, kw_only=True)
class SimulationOptions(TrafficPlan, SchedulePlan, Pace):
    """What is sent, in which pushes, how fast. Raises SimulationError where it makes no sense."""

    url: str = ""
    """Where to push: http or https. Not needed for ``iter_pushes`` and ``iter_bodies``."""
    bad: float = 0.0005
    """Bad records added to the good ones, per report (an assumption)."""
    truth: Path | None = None
    """Where to write the truth (JSON Lines); None does not."""
    sends: Path | None = None
    """Where to write the sender's log (CSV); None does not."""

    def __post_init__(self) -> None:
        for is_wrong, sentence in self._rules():
            if is_wrong:
                raise SimulationError(sentence)

    def _rules(self) -> Iterator[tuple[bool, str]]:
        for name in ("duplicates", "conflicts", "unreported", "bad", "damaged"):
            share = getattr(self, name)
            yield not 0 <= share <= 1, f"{name} must be a share, from 0 to 1"
        for name in ("days", "speed", "timeout_s", "concurrency", "batch_size"):
            yield not getattr(self, name) > 0, f"{name} must be more than 0"
        both = self.conflicts + self.unreported
        yield both > 1, "conflicts and unreported must not exceed 1 together"
        yield self.messages < 0, "messages must not be negative"
        yield (self.batch_wait_s or 0) < 0, "batch_wait_s must not be negative"
        yield self.rate is not None and self.rate <= 0, "rate must be more than 0, or omitted"
        yield self.start.tzinfo is None, "start must have a UTC offset, such as +00:00"
        yield not _zone_exists(self.zone), "zone must be an IANA time zone, such as Asia/Shanghai"
        yield sum(self.encodings.values()) <= 0, "encodings must have a weight above 0"
        yield (
            min(self.encodings.values(), default=0) < 0,
            "encodings must not have weights below 0",
        )


def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
