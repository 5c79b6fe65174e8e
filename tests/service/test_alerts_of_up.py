"""A real `dlr up`: what goes wrong is said by status, metrics, a webhook and by mail, once."""

import json
import os
import shutil
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipelines.service.dagster_state import LOCATION
from pipelines.service.times import Times
from tests.command import dlr
from tests.live import TOKEN, ask
from tests.service.live_up import Up, running_up
from tests.service.targets import SECRET, Hook, Mailbox, running_hook, running_mailbox
from tests.torture.disks import ext4, why_no_disks

QUICK = Times(look_s=1, probe_s=1, minute_s=600, begin_s=1, end_s=3)
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": LOCATION}
IDS = """
query ($repository: RepositorySelector!) {
  sensorsOrError(repositorySelector: $repository) { ... on Sensors {
    results { name sensorState { id } } } }
  schedulesOrError(repositorySelector: $repository) { ... on Schedules {
    results { name scheduleState { id } } } }
}
"""
STOP = """
mutation ($sensor: String!, $schedule: String!) {
  stopSensor(id: $sensor) { __typename }
  stopRunningSchedule(id: $schedule) { __typename }
}
"""
START = """
mutation ($sensor: SensorSelector!, $schedule: ScheduleSelector!) {
  startSensor(sensorSelector: $sensor) { __typename }
  startSchedule(scheduleSelector: $schedule) { __typename }
}
"""


def graphql(up: Up, query: str, **variables: object) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{up.ui_port}/graphql",
        json.dumps({"query": query, "variables": variables}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)["data"]


def switch_off(up: Up) -> None:
    """The sensor and a schedule, as the UI does it."""
    known = graphql(up, IDS, repository=REPOSITORY)
    [sensor] = known["sensorsOrError"]["results"]
    schedules = {each["name"]: each for each in known["schedulesOrError"]["results"]}
    graphql(
        up,
        STOP,
        sensor=sensor["sensorState"]["id"],
        schedule=schedules["hourly_refresh"]["scheduleState"]["id"],
    )


def switch_on(up: Up) -> None:
    sensor = REPOSITORY | {"sensorName": "landed_files_sensor"}
    schedule = REPOSITORY | {"scheduleName": "hourly_refresh"}
    graphql(up, START, sensor=sensor, schedule=schedule)


class Targets(NamedTuple):
    """Where the alerts go, and what a `dlr up` needs to send them there."""

    hook: Hook
    mailbox: Mailbox

    @property
    def settings(self) -> dict[str, str]:
        return {
            "DLR_ALERT_WEBHOOK": self.hook.url,
            "DLR_SMTP_URL": f"smtp://127.0.0.1:{self.mailbox.port}",
            "DLR_ALERT_EMAIL": "ops@example.com",
        }

    def said(self) -> list[tuple[str, str]]:
        """Every alert, in order of names."""
        return sorted(self.hook.alerts)

    def mailed(self, state: str) -> list[str]:
        """Names that mails said began or ended."""
        texts = [mail.get_content() for mail in self.mailbox.mails]
        words = [line.split() for text in texts for line in text.splitlines()]
        return sorted(line[2].strip(":,") for line in words if line and line[0] == state)


@pytest.fixture
def targets() -> Iterator[Targets]:
    with running_hook() as hook, running_mailbox() as mailbox:
        yield Targets(hook, mailbox)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """A disk without room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 2**20):
            pass
    yield
    filler.unlink()


SWITCHES = [("begin", "schedule_off"), ("begin", "sensor_off")]


def test_switches_a_restart_and_a_kill(tmp_path: Path, targets: Targets) -> None:
    data = tmp_path / "data"
    with running_up(data, QUICK, **targets.settings) as up:
        up.until_it_says("Ctrl-C")
        up.until(lambda: dlr(data, "status").returncode == 0, 60, "health")
        switch_off(up)
        up.until(lambda: targets.said() == SWITCHES, 60, "alerts of switches")
        up.until(lambda: targets.mailed("BEGAN") == ["schedule_off", "sensor_off"], 30, "mails")
        status = dlr(data, "status")
        assert status.returncode == 1
        assert "The sensor landed_files_sensor is switched off" in status.stdout
        metrics = ask(up.url, "GET", "/metrics").body.decode()
        assert 'dlr_problem{name="sensor_off"} 1.0' in metrics
        assert 'dlr_problem{name="ui_down"} 0.0' in metrics
        up.process.send_signal(signal.SIGKILL)
        up.process.wait()
    status = dlr(data, "status")
    assert status.returncode == 1
    assert "`dlr up` was killed" in status.stdout
    with running_up(data, QUICK, **targets.settings) as up:
        up.until_it_says("Ctrl-C")
        killed = [("begin", "up_killed"), ("end", "up_killed")]
        up.until(lambda: targets.said() == sorted(SWITCHES + killed), 60, "news of the kill")
        assert "Problem: The sensor landed_files_sensor is switched off" in up.said
        switch_on(up)
        ends = [("end", "schedule_off"), ("end", "sensor_off")]
        up.until(lambda: targets.said() == sorted(SWITCHES + killed + ends), 60, "the ends")
        names = ["schedule_off", "sensor_off", "up_killed"]
        up.until(lambda: targets.mailed("OVER") == names, 30, "mails")
        assert targets.mailed("BEGAN") == names
        switch_off(up)
        up.until(lambda: targets.said().count(SWITCHES[1]) == 2, 60, "switches again")
        assert up.stop() == 0
    assert dlr(data, "status").returncode == 0  # nobody expects switches to be on
    assert_no_secret(tmp_path, targets)


@pytest.mark.skipif(why_no_disks() is not None, reason=str(why_no_disks()))
def test_a_disk_that_is_full_and_has_room_again(tmp_path: Path, targets: Targets) -> None:
    disk = tmp_path / "disk"
    with ExitStack() as stack:
        stack.enter_context(ext4(disk, 2**30))
        up = stack.enter_context(running_up(disk / "data", QUICK, **targets.settings))
        up.until_it_says("Ctrl-C")
        with filled(disk):
            full = {("begin", "disk_bytes"), ("begin", "receiver_unready")}
            up.until(lambda: full <= set(targets.said()), 60, "alerts of a full disk")
            assert up.push(1).status == 503
            assert dlr(disk / "data", "status").returncode == 1
        over = {("end", "disk_bytes"), ("end", "receiver_unready")}
        up.until(lambda: over <= set(targets.said()), 90, "ends")
        up.until(lambda: up.push(1).status == 200, 30, "room")
        assert shutil.disk_usage(disk).free > 2**28
        for alert in full | over:
            assert targets.said().count(alert) == 1
        assert up.stop() == 0


def assert_no_secret(folder: Path, targets: Targets) -> None:
    """No alert and no file of the service has one; the log of `dlr up` neither."""
    told = json.dumps(targets.hook.posts)
    told += "".join(mail.as_string() for mail in targets.mailbox.mails)
    files = [*folder.glob("*.log"), *(folder / "data" / "service").rglob("*")]
    told += "".join(path.read_text() for path in files if path.is_file())
    assert "sensor_off" in told
    for secret in (TOKEN, SECRET):
        assert secret not in told
    assert os.environ.get("DLR_PUSH_TOKENS") is None
