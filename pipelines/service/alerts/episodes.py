"""When a problem begins and when it is over; flapping is one episode, not many."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from contract.problems import KINDS, Problem


class Patience(NamedTuple):
    """How long something must last before anybody hears of it."""

    begin: timedelta = timedelta(seconds=30)
    """From when a problem was first seen."""
    end: timedelta = timedelta(seconds=60)
    """From when it was last seen."""


AT_ONCE = Patience(timedelta(), timedelta())
"""For whoever looks once an hour."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A problem that began or is over."""

    state: Literal["begin", "end"]
    name: str
    sentence: str
    since: datetime
    at: datetime


@dataclass(slots=True)
class _Episode:
    since: datetime
    sentence: str
    alerted: bool = False
    absent_since: datetime | None = None


@dataclass(slots=True)
class Episodes:
    """The problems of now and of shortly before, by name."""

    _open: dict[str, _Episode] = field(default_factory=dict)

    def see(
        self,
        problems: Iterable[Problem],
        at: datetime,
        patience: Patience,
        unjudged: Iterable[str] = (),
    ) -> list[Alert]:
        """Take in what one look found; returns what has begun and what is over.

        Nothing was found out about ``unjudged`` names, so they stay as they are.
        """
        present = {problem.name: problem for problem in problems}
        for name, problem in present.items():
            episode = self._open.setdefault(name, _Episode(at, problem.sentence))
            episode.sentence, episode.absent_since = problem.sentence, None
            episode.since = min(episode.since, at)  # a clock may be set back
        alerts = []
        kept = set(unjudged) & KINDS.keys()
        for name, episode in list(self._open.items()):
            if name in present:
                if not episode.alerted and at - episode.since >= patience.begin:
                    episode.alerted = True
                    alerts.append(Alert("begin", name, episode.sentence, episode.since, at))
            elif name not in kept:
                episode.absent_since = min(episode.absent_since or at, at)
                if at - episode.absent_since >= patience.end:
                    del self._open[name]
                    if episode.alerted:
                        alerts.append(Alert("end", name, episode.sentence, episode.since, at))
        return alerts

    def present(self) -> list[Problem]:
        """What is there now, or was when it was last judged, with the time it began."""
        return [
            Problem(name, episode.sentence, episode.since)
            for name, episode in self._open.items()
            if episode.absent_since is None
        ]

    def to_json(self) -> dict[str, dict[str, object]]:
        """What a restart must know."""
        return {
            name: {
                "since": episode.since.isoformat(),
                "sentence": episode.sentence,
                "alerted": episode.alerted,
            }
            for name, episode in self._open.items()
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Mapping[str, Any]]) -> "Episodes":
        """Raises KeyError, TypeError or ValueError where it cannot be read."""
        return cls(
            {
                name: _Episode(
                    datetime.fromisoformat(row["since"]), str(row["sentence"]), bool(row["alerted"])
                )
                for name, row in content.items()
            }
        )
