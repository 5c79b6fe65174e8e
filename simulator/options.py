"""Everything that can be chosen about a simulation, one field a flag."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator.encodings import Encoding
from simulator.provider import Pace
from simulator.schedule import DEFAULT_ENCODINGS, SchedulePlan
from simulator.traffic import TrafficPlan


class SimulationError(ValueError):
    """Options that make no sense; the message says which and what would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationOptions:
    """Everything that can be chosen. Raises SimulationError where it makes no sense."""

    url: str = ""
    """Where to push: http or https. Not needed for ``iter_pushes`` and ``iter_bodies``."""
    messages: int = 10_000
    """Messages sent in the period."""
    seed: int = 1
    """Of everything that is drawn."""
    start: datetime = datetime(2026, 1, 5, tzinfo=UTC)
    """First instant of the period; aware."""
    days: float = 1.0
    """Length of the period."""
    zone: str = "Asia/Shanghai"
    """Zone of the provider's naive times (IANA name)."""
    rate: float | None = None
    """Most new pushes per real second; None sends as fast as answers come."""
    speed: float = 1.0
    """Simulated seconds in a real one: a re-push comes 300 / ``speed`` seconds later."""
    on_schedule: bool = False
    """Let each push wait for its instant, on a clock that starts at ``start`` and runs at
    ``speed``: with ``start`` now and a speed of 1 this is live traffic."""
    concurrency: int = 8
    """Most requests under way at once."""
    timeout_s: float = 10.0
    """Longest real time for an answer."""
    batch_size: int = 100
    """Most records of a push."""
    batch_wait_s: float | None = None
    """Longest simulated time a record waits for its batch to fill; None waits until it is full."""
    duplicates: float = 0.02
    """Share of batches that are replayed whole (an assumption)."""
    conflicts: float = 0.003
    """Share of messages reported as failed, later as delivered (an assumption)."""
    unreported: float = 0.005
    """Share of messages that never get a report (an assumption)."""
    bad: float = 0.0005
    """Bad records made besides the good ones, per report (an assumption)."""
    damaged: float = 0.0005
    """Share of batches followed by a damaged copy (an assumption)."""
    encodings: Mapping[Encoding, float] = field(default_factory=lambda: DEFAULT_ENCODINGS)
    """Weight of each encoding (an assumption)."""
    truth: Path | None = None
    """Where to write the truth (JSON Lines); None does not."""
    sends: Path | None = None
    """Where to write the sender's log (CSV); None does not."""

    def __post_init__(self) -> None:
        for wrong, sentence in self._rules():
            if wrong:
                raise SimulationError(sentence)

    def traffic(self) -> TrafficPlan:
        """Return what traffic is to be made."""
        return TrafficPlan(
            messages=self.messages,
            seed=self.seed,
            start=self.start,
            days=self.days,
            zone=self.zone,
            conflicts=self.conflicts,
            unreported=self.unreported,
        )

    def schedule(self) -> SchedulePlan:
        """Return how it becomes pushes."""
        return SchedulePlan(
            seed=self.seed,
            batch_size=self.batch_size,
            batch_wait_s=self.batch_wait_s,
            duplicates=self.duplicates,
            damaged=self.damaged,
            encodings=self.encodings,
        )

    def pace(self) -> Pace:
        """Return how fast they leave."""
        start_ms = int(self.start.timestamp() * 1000)
        return Pace(
            concurrency=self.concurrency,
            rate=self.rate,
            speed=self.speed,
            schedule_from_ms=start_ms if self.on_schedule else None,
            timeout_s=self.timeout_s,
        )

    def _rules(self) -> Iterator[tuple[bool, str]]:
        for name in ("duplicates", "conflicts", "unreported", "bad", "damaged"):
            share = getattr(self, name)
            yield not 0 <= share <= 1, f"{name} is a share, from 0 to 1"
        for name in ("days", "speed", "timeout_s", "concurrency", "batch_size"):
            yield not getattr(self, name) > 0, f"{name} must be more than 0"
        both = self.conflicts + self.unreported
        yield both > 1, "conflicts and unreported are more than 1 together"
        yield self.messages < 0, "messages cannot be negative"
        yield (self.batch_wait_s or 0) < 0, "batch_wait_s cannot be negative"
        yield self.rate is not None and self.rate <= 0, "rate must be more than 0, or left out"
        yield self.start.tzinfo is None, "start needs a time zone, such as +00:00"
        yield not _zone_exists(self.zone), "zone is no IANA time zone, such as Asia/Shanghai"
        yield sum(self.encodings.values()) <= 0, "encodings need a weight above 0"
        yield min(self.encodings.values(), default=0) < 0, "a weight of encodings is negative"


def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
