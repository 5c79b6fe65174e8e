"""Everything that can be chosen about a simulation. All shares are assumptions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator.encodings import Encoding

DEFAULT_ENCODINGS: Mapping[Encoding, float] = MappingProxyType(
    {
        Encoding.ONCE: 0.80,
        Encoding.ONCE_PERCENT20: 0.10,
        Encoding.TWICE: 0.06,
        Encoding.THRICE: 0.01,
        Encoding.RAW: 0.03,
    }
)
"""Share of each encoding. An assumption: all are known to occur, nobody publishes counts."""


class SimulationError(ValueError):
    """Options that make no sense; the message says which and what would."""


@dataclass(frozen=True, kw_only=True)
class SimulationOptions:
    """What is sent, in which pushes, how fast; equal options make equal bytes.

    Annotated fields are flags of `dlr simulate`, described as its help says. Raises SimulationError
    where the options make no sense.
    """

    messages: Annotated[int, "messages sent in the period"] = 10_000
    seed: Annotated[int, "seed of all random choices; the same seed gives the same bytes"] = 1
    start: Annotated[datetime, "start of the period, with its UTC offset"] = datetime(
        2026, 1, 5, tzinfo=UTC
    )
    days: Annotated[float, "length of the period"] = 1.0
    zone: Annotated[str, "time zone of the provider's naive times"] = "Asia/Shanghai"
    rate: Annotated[
        float | None, "limit of new pushes per second; by default as fast as answers come"
    ] = None
    speed: Annotated[
        float, "simulated seconds per real second; shortens the wait for a re-push"
    ] = 1.0
    concurrency: Annotated[int, "limit of concurrent requests"] = 8
    timeout_s: Annotated[float, "longest wait for an answer"] = 10.0
    batch_size: Annotated[int, "limit of records per push"] = 100
    batch_wait_s: Annotated[
        float | None, "longest simulated time a record waits for its batch to fill"
    ] = None
    duplicates: Annotated[float, "share of batches replayed as a whole"] = 0.02
    conflicts: Annotated[float, "share of messages reported as failed, later as delivered"] = 0.003
    unreported: Annotated[float, "share of messages that never get a report"] = 0.005
    bad: Annotated[float, "bad records added per good one"] = 0.0005
    damaged: Annotated[float, "share of batches followed by a damaged copy"] = 0.0005
    truth: Annotated[Path | None, "file to write the truth to (JSON Lines)"] = None
    sends: Annotated[Path | None, "file to write the sender's log to (CSV)"] = None
    url: str = ""
    """Where to push: http or https. Not needed for ``iter_pushes`` and ``iter_bodies``."""
    on_schedule: bool = False
    """Send each push at its instant, on a clock that starts when sending starts and runs at
    ``speed``: with a period that starts now and a speed of 1 this is live traffic."""
    encodings: Mapping[Encoding, float] = field(default_factory=lambda: DEFAULT_ENCODINGS)
    """Weight of each encoding."""
    marketing: float = 0.35
    """Share of marketing in all messages of a full day; the rest are one-time codes."""
    foreign: float = 0.02
    """Share of messages that go abroad."""
    slow: float = 0.015
    """Share of delivered messages that take minutes to a day."""
    otp_delivered: tuple[float, float] = (0.94, 0.97)
    """Delivered share of one-time codes: each day has its own, drawn from this range."""
    marketing_delivered: tuple[float, float] = (0.88, 0.94)
    """The same for marketing."""

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
        weights = self.encodings.values()
        yield sum(weights) <= 0, "encodings must have a weight above 0"
        yield min(weights, default=0) < 0, "encodings must not have weights below 0"


def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
