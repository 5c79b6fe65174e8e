"""Messages on their way to one target: queued, not too many, tried again later and later."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from contract.problems import KINDS
from pipelines.service.alerts.episodes import Alert
from pipelines.service.alerts.message import Message, message_of

_BURST = 20
"""Messages in a row."""
_PAUSE = timedelta(minutes=1)
"""Between two messages after that; each has everything that happened since the one before."""
_MOST_QUEUED = 200
"""Alerts; of older ones only the number is kept."""
_LONGEST_BACKOFF = timedelta(minutes=10)


@dataclass(slots=True)
class Delivery:
    """What a target has yet to hear, and when it is tried next; ``first_backoff`` then doubles."""

    first_backoff: timedelta = timedelta(seconds=5)
    queue: list[Alert] = field(default_factory=list)
    left_out: int = 0
    failures: int = 0
    """In a row."""
    next_try: datetime | None = None
    allowed: float = _BURST
    """Messages that may be sent now."""
    counted_at: datetime | None = None
    """When ``allowed`` was computed."""

    def add(self, alerts: list[Alert]) -> None:
        """Queue alerts."""
        self.queue += alerts
        over = max(0, len(self.queue) - _MOST_QUEUED)
        self.left_out += over
        del self.queue[:over]

    def due(self, at: datetime) -> Message | None:
        """The message to send now, if there is one and it may be sent."""
        if not self.queue:
            return None
        # a clock that was set back must not make it wait for longer
        if self.next_try and at < self.next_try <= at + _LONGEST_BACKOFF:
            return None
        if self.counted_at is not None:
            gained = (at - self.counted_at) / _PAUSE
            self.allowed = min(float(_BURST), self.allowed + max(0.0, gained))
        self.counted_at = at
        return message_of(self.queue, self.left_out) if self.allowed >= 1 else None

    def delivered(self, message: Message) -> None:
        """The target took it."""
        self.queue = [alert for alert in self.queue if alert not in message.alerts]
        self.left_out -= message.left_out
        self.failures = 0
        self.next_try = None
        self.allowed -= 1

    def failed(self, at: datetime) -> None:
        """The target did not take it."""
        backoff = self.first_backoff * 2 ** min(self.failures, 10)
        self.failures += 1
        self.next_try = at + min(backoff, _LONGEST_BACKOFF)

    def to_json(self) -> dict[str, Any]:
        """What a restart must know; how long to wait it may learn anew."""
        rows = [
            asdict(alert) | {"since": alert.since.isoformat(), "at": alert.at.isoformat()}
            for alert in self.queue
        ]
        return {"queue": rows, "left_out": self.left_out, "failures": self.failures}

    def restore(self, content: Mapping[str, Any]) -> None:
        """Raises KeyError, TypeError or ValueError where it cannot be read."""
        self.queue = [_alert(row) for row in content["queue"] if row["name"] in KINDS]
        self.left_out, self.failures = int(content["left_out"]), int(content["failures"])


def _alert(row: Mapping[str, Any]) -> Alert:
    since, at = (datetime.fromisoformat(row[name]) for name in ("since", "at"))
    state: Literal["begin", "end"] = "begin" if row["state"] == "begin" else "end"
    return Alert(state, str(row["name"]), str(row["sentence"]), since, at)
