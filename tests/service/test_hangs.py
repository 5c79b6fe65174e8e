"""What lives and does nothing is ended: long runs, parts without ticks or heartbeats."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from contract.settings import Settings
from pipelines.runs.home import prepare_instance
from pipelines.runs.recover import recover
from pipelines.service.child import start
from pipelines.service.look import Look, Tick
from pipelines.service.pipeline import Pipeline
from pipelines.service.running import RunningRuns
from pipelines.service.times import Times
from tests.command import ROOT
from tests.data_folder import ask, form, land, push, record, settings_of

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
STARTING = dg.DagsterEventType.PIPELINE_STARTING
LEFT = "00000000-0000-4000-8000-000000000000"
RECOVER = ["pipelines.runs.recover", "0"]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("DLR_DATA", "DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")  # what is set below is unset afterwards
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return settings_of(tmp_path / "data")


def test_a_run_that_hangs_is_ended_and_the_next_goes_on(settings: Settings, tmp_path: Path) -> None:
    land(settings, [push(form([record(1)]))])
    home = prepare_instance(settings)
    runs = RunningRuns(home, longest_s=0.5)
    log = tmp_path / "recover.log"
    first = start(RECOVER, log)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    deadline = time.monotonic() + 60
    while not any(file.read_text() for file in (home / "running").glob("*.pid")):
        assert first.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGSTOP)
    assert runs.end_overdue({first.pid}) == []
    time.sleep(0.6)
    assert runs.end_overdue({other.pid}) == [], "it is none of ours"
    assert first.poll() is None
    (hung,) = runs.end_overdue({first.pid})
    assert first.wait(10) == -signal.SIGKILL
    assert (runs.died(), runs.died()) == ([hung], [])

    assert start(RECOVER, log).wait(120) == 0
    other.kill()
    other.wait()
    assert "Marked 1 run as failed whose process was killed." in log.read_text()
    assert ask(settings, "select sid from core.sms_status") == [(1,)]
    with dg.DagsterInstance.from_config(str(home)) as instance:
        newest, oldest = instance.get_runs()
        assert (oldest.run_id, oldest.status) == (hung, dg.DagsterRunStatus.FAILURE)
        assert newest.status is dg.DagsterRunStatus.SUCCESS
        said = [str(entry.message) for entry in instance.all_logs(hung)]
    assert any("longer than DLR_MAX_RUN_S (0.5 s) and was ended" in text for text in said)
    assert not list((home / "running").iterdir()), "nothing is left of either"


LAUNCHED = {".dagster/grpc_info": "{}"}
"""The tag of a run that a code server was asked to start."""


@pytest.mark.parametrize(
    ("events", "tags"),
    [([], {}), ([STARTING], {}), ([STARTING, dg.DagsterEventType.RUN_START], LAUNCHED)],
    ids=["not-started", "starting", "started"],
)
def test_a_run_that_a_dead_process_was_launching_is_cleared_at_once(
    events: list[dg.DagsterEventType], tags: dict[str, str], settings: Settings
) -> None:
    """It would hold the queue until Dagster's time limit, three minutes later."""
    land(settings, [push(form([record(1)]))])
    home = prepare_instance(settings)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.add_run(dg.DagsterRun("refresh", run_id=LEFT, tags=tags))
        for kind in events:
            instance.report_dagster_event(dg.DagsterEvent(kind.value, "refresh"), LEFT)
    now = datetime.now(UTC)
    assert list(recover(settings, now - timedelta(hours=1))) == ["ready"], "it may still start"
    assert list(recover(settings, now)) == [
        "ready",
        "Marked 1 run as failed whose process was killed.",
    ]
    assert ask(settings, "select sid from core.sms_status") == [(1,)]
    with dg.DagsterInstance.from_config(str(home)) as instance:
        left = instance.get_run_by_id(LEFT)
        assert left
        assert left.status is dg.DagsterRunStatus.FAILURE


@pytest.fixture
def parts(settings: Settings) -> Iterator[Pipeline]:
    """Code server and daemon that live and do nothing."""
    home = prepare_instance(settings)
    (settings.data / "service").mkdir()
    pipeline = Pipeline(settings, home, [].append, Times(pulse_s=0.3))
    for name in ("code_server", "daemon"):
        pipeline.children[name].process = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
        )
    yield pipeline
    for name in ("code_server", "daemon"):
        process = pipeline.children[name].process
        assert process
        process.kill()
        process.wait()


def killed(parts: Pipeline) -> set[str]:
    return {
        name
        for name, child in parts.children.items()
        if child.process and child.process.poll() is not None
    }


TICK = Tick(NOW, "SKIPPED")
LIVES = Look(NOW, sensor_on=True, tick=TICK, heartbeat=NOW)
LATER = NOW + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("second", "has_room", "dead"),
    [
        (LIVES, True, {"code_server", "daemon"}),
        (replace(LIVES, tick=Tick(LATER, "SKIPPED")), True, {"daemon"}),
        (replace(LIVES, heartbeat=LATER), True, {"code_server", "daemon"}),
        (replace(LIVES, heartbeat=LATER, sensor_on=False), True, set()),
        (replace(LIVES, heartbeat=LATER, tick=Tick(LATER, "STARTED")), True, set()),
        (Look(NOW), True, set()),  # the webserver did not answer
        (LIVES, False, set()),  # nobody can write that he lives
        # a clock that was set does not count, only whether something changes
        (replace(LIVES, at=NOW + timedelta(days=1), heartbeat=LATER, tick=None), True, set()),
    ],
)
def test_who_does_nothing_is_killed(
    second: Look, has_room: bool, dead: set[str], parts: Pipeline
) -> None:
    parts.judge(LIVES, has_room=True)
    assert killed(parts) == set()
    time.sleep(0.35)
    parts.judge(second, has_room=has_room)
    assert killed(parts) == dead
