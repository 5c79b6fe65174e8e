"""One look at everything that runs: what was seen, not yet what it means (``facts``)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from contract.problems import Present


@dataclass(frozen=True, slots=True)
class Part:
    """A process that `dlr up` keeps running."""

    answers: bool
    """Whether it answered this look; of the daemon: whether its process lives."""
    since: datetime
    """Since when it has been so."""
    has_answered: bool = True
    """Whether it has ever answered since `dlr up` started."""
    trouble: str = ""
    """What was seen instead of an answer, in a few words."""


@dataclass(frozen=True, slots=True)
class Tick:
    """The newest tick of the sensor."""

    at: datetime
    status: str
    """As Dagster names it: STARTED, SKIPPED, SUCCESS or FAILURE."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the job `refresh` in Dagster's history."""

    run_id: str
    status: str
    """As Dagster names it: QUEUED, STARTED, SUCCESS, FAILURE, CANCELED and others."""
    started_at: datetime | None = None
    ended_at: datetime | None = None


class Room(NamedTuple):
    """Room on a disk; both totals are 0 where the file system has no such limit."""

    free_bytes: int
    total_bytes: int
    free_inodes: int
    total_inodes: int


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one time; what nobody looked at is empty or None."""

    at: datetime
    parts: Mapping[str, Part] = field(default_factory=dict)
    """By name: ``receiver``, ``code_server``, ``ui``, ``daemon``."""
    unready: str | None = None
    """What `/readyz` of the receiver says if it answers 503."""
    horizon_s: float | None = None
    """The receiver's ``dlr_landing_data_loss_horizon_seconds``."""
    pushes: float | None = None
    """How many pushes the receiver has landed since it started."""
    sensor_on: bool | None = None
    """Whether the sensor is switched on."""
    ticking_since: datetime | None = None
    """Since when it should tick: it is on, and `dlr up` started the daemon."""
    schedules: Mapping[str, bool] = field(default_factory=dict)
    """Whether each schedule is switched on, by name."""
    tick: Tick | None = None
    """The sensor's newest tick."""
    runs: tuple[Run, ...] = ()
    """The newest runs, the newest first."""
    landing_room: Room | None = None
    """Room on the disk of the landing folder."""
    heartbeat: datetime | None = None
    """When the daemon last gave a sign of life."""
    pipeline: Present | None = None
    """What ``pipeline.json`` says."""
    killed_up: str = ""
    """In words, that another `dlr up` was killed or hangs, if so."""
