"""Each fact, from the look that shows it; and looks that show nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract.problems import KINDS, Present, Problem
from pipelines.service.facts import OF_PIPELINE, Limits, problems_of, unjudged
from pipelines.service.look import Look, Part, Room, Run, Tick

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
LIMITS = Limits()
PARTS = ("receiver", "code_server", "daemon", "ui")
ROOM = Room(10 * 2**30, 100 * 2**30, 1_000_000, 6_000_000)


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def run(n: int, status: str = "SUCCESS", minutes: float | None = 1, age_minutes: float = 0) -> Run:
    """The ``n``-th newest run, which took so long; None for one that has not ended."""
    ended = ago(minutes=10 * n + age_minutes)
    started = ended - timedelta(minutes=minutes or 0)
    return Run(f"{n:08x}-run", status, started, ended if minutes is not None else None)


WELL = Look(
    at=NOW,
    parts={name: Part(answers=True, since=ago(hours=1)) for name in PARTS},
    horizon_s=600.0,
    sensor_on=True,
    ticking_since=ago(hours=1),
    schedules={"hourly_refresh": True, "daily_housekeeping": True},
    tick=Tick(ago(seconds=50), "SKIPPED"),
    runs=tuple(run(n) for n in range(20)),
    landing_room=ROOM,
    pipeline=Present(ago(seconds=50), ()),
)


def without(part: str, since: datetime, **more: object) -> Mapping[str, Part]:
    silent = Part(answers=False, since=since, **more)  # type: ignore[arg-type]
    return {**WELL.parts, part: silent}


def names(look: Look) -> set[str]:
    found = [problem.name for problem in problems_of(look, LIMITS)]
    assert len(found) == len(set(found))
    assert set(found) <= KINDS.keys()
    return set(found)


FAILED = [run(n, "FAILURE") for n in range(3)]
FACTS: dict[str, tuple[str, Look]] = {
    "receiver": (
        "receiver_down",
        replace(WELL, parts=without("receiver", ago(seconds=25)), horizon_s=None),
    ),
    "code server": (
        "code_server_down",
        replace(WELL, parts=without("code_server", ago(minutes=1))),
    ),
    "daemon": ("daemon_down", replace(WELL, parts=without("daemon", ago(minutes=1)))),
    "ui": ("ui_down", replace(WELL, parts=without("ui", ago(minutes=1)))),
    "never came up": (
        "ui_down",
        replace(WELL, parts=without("ui", ago(seconds=130), has_answered=False)),
    ),
    "unready": ("receiver_unready", replace(WELL, unready="cannot write: disk_full")),
    "horizon": ("data_loss_horizon", replace(WELL, horizon_s=500.0)),
    "killed": ("up_killed", replace(WELL, killed_up="`dlr up` was killed.")),
    "sensor": ("sensor_off", replace(WELL, sensor_on=False, tick=None)),
    "schedule": ("schedule_off", replace(WELL, schedules={"hourly_refresh": False})),
    "no tick": ("no_tick", replace(WELL, tick=Tick(ago(minutes=4), "SKIPPED"))),
    "never a tick": ("no_tick", replace(WELL, tick=None, ticking_since=ago(minutes=4))),
    "failing": ("runs_failing", replace(WELL, runs=(*FAILED, run(3)))),
    "failing, one under way": (
        "runs_failing",
        replace(WELL, runs=(run(0, "STARTED", None), *FAILED)),
    ),
    "runs long": ("run_too_long", replace(WELL, runs=(Run("x", "STARTED", ago(minutes=61)),))),
    "ran long": ("run_too_long", replace(WELL, runs=(run(0, "FAILURE", 61), run(1)))),
    "bytes": ("disk_bytes", replace(WELL, landing_room=ROOM._replace(free_bytes=4 * 2**30))),
    "bytes, a small disk": (
        "disk_bytes",
        replace(WELL, landing_room=Room(100 << 20, 1 << 30, 0, 0)),
    ),
    "inodes": ("disk_inodes", replace(WELL, landing_room=ROOM._replace(free_inodes=90_000))),
    **{
        name: (name, replace(WELL, pipeline=Present(NOW, (Problem(name, "It is so."),))))
        for name in OF_PIPELINE
    },
}

NOTHING: dict[str, Look] = {
    "all is well": WELL,
    "nothing was looked at": Look(NOW),
    "a part that is just restarted": replace(WELL, parts=without("receiver", ago(seconds=10))),
    "a slow start": replace(
        WELL,
        parts={n: Part(answers=False, since=ago(seconds=100), has_answered=False) for n in PARTS},
        horizon_s=None,
    ),
    "a push refused a moment ago": replace(WELL, horizon_s=590.0),
    "two failed runs": replace(WELL, runs=(run(0, "FAILURE"), run(1, "FAILURE"), run(2))),
    "failed runs of before": replace(WELL, runs=(run(9), *FAILED)),
    "a long run of before": replace(WELL, runs=(run(0), run(1, "SUCCESS", 100))),
    "a run that waits for the lock": replace(
        WELL, runs=(Run("x", "STARTED", ago(minutes=10)), run(1))
    ),
    "the sensor was just switched on": replace(
        WELL, tick=Tick(ago(days=3), "SKIPPED"), ticking_since=ago(seconds=30)
    ),
    "a file system without limits": replace(WELL, landing_room=Room(0, 0, 0, 0)),
    "a huge disk": replace(WELL, landing_room=Room(6 << 30, 10 << 40, 200_000, 10**9)),
}


@pytest.mark.parametrize("case", FACTS)
def test_a_fact_is_a_problem_of_its_name_and_no_other(case: str) -> None:
    name, look = FACTS[case]
    assert names(look) == {name}
    assert name not in unjudged(look)


def test_every_known_name_can_be_provoked() -> None:
    beside = {"alerts_failing"}  # known to whoever sends alerts, see test_alerts.py
    assert {name for name, _ in FACTS.values()} | beside == set(KINDS)


@pytest.mark.parametrize("case", NOTHING)
def test_what_is_no_problem(case: str) -> None:
    assert names(NOTHING[case]) == set()


def test_a_receiver_that_is_gone_for_long_is_both() -> None:
    look = replace(WELL, parts=without("receiver", ago(minutes=5)), horizon_s=None)
    assert names(look) == {"receiver_down", "data_loss_horizon"}
    [horizon] = [each for each in problems_of(look, LIMITS) if each.name == "data_loss_horizon"]
    assert "5 min are left" in horizon.sentence


def test_nobody_says_that_something_is_over_who_did_not_look() -> None:
    blind = Look(NOW, parts={"receiver": Part(answers=True, since=ago(hours=1))}, horizon_s=600)
    assert unjudged(blind) >= {"sensor_off", "no_tick", "schedule_off", "runs_failing", "ui_down"}
    assert unjudged(blind) >= OF_PIPELINE
    assert unjudged(blind).isdisjoint({"receiver_down", "receiver_unready", "data_loss_horizon"})
    assert unjudged(WELL) == frozenset()
    gone = replace(WELL, parts=without("receiver", ago(minutes=5)), horizon_s=None)
    assert unjudged(gone) == {"receiver_unready"}


def test_sentences_are_sentences() -> None:
    for name, look in FACTS.values():
        [problem] = [each for each in problems_of(look, LIMITS) if each.name == name]
        assert problem.sentence[0].isupper() or problem.sentence[0] == "`"
        assert problem.sentence.endswith(".")
