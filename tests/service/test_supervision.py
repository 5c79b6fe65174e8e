"""Parts die, hang and find no room: the receiver goes on, and all is well again by itself.

One `dlr up` is lived through once (`storm`): each part is killed, one is stopped, all while pushes
come in. `python -m tests.torture --parts 20` does it twenty times and holds it to the promised
seconds; here the machine has other things to do.
"""

import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelines.folder.format import FORMAT
from pipelines.service.times import Times
from tests.command import dlr
from tests.data_folder import ask, settings_of
from tests.live import TOKEN
from tests.pipelines.old_folder import unpack
from tests.service.live_up import Up, processes_on, running_up
from tests.torture.disks import fill_up, small_disk, why_no_disks
from tests.torture.service import VICTIMS, Trial

QUICK = Times(look_s=3, probe_s=1, recovery_s=5, minute_s=10)
NO_DISKS = why_no_disks()
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a death")


@dataclass
class Storm:
    """What there was to see."""

    trial: Trial
    second: str = ""
    """What another `dlr up` on the same data folder said."""
    second_status: int | None = None
    said: str = ""
    exit_status: int | None = None
    left_over: list[str] = field(default_factory=list)
    service_files: set[str] = field(default_factory=set)
    too_early: list[str] = field(default_factory=list)
    """Parts that ran before Dagster's tables existed."""
    written_by_ten_looks: int = 0
    """Bytes that the webserver wrote to answer them."""


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Storm:
    data = tmp_path_factory.mktemp("storm") / "data"
    with running_up(data, QUICK) as up:
        seen = Storm(Trial(up))
        up.until_it_says("Push URL")
        while not has_tables(data):
            early = [part for part in ("code_server", "ui", "daemon") if up.pid(part)]
            seen.too_early += [] if has_tables(data) else early
        up.until_it_says("Ctrl-C")
        second = dlr(data, "up", DLR_PUSH_TOKENS=TOKEN)
        seen.second, seen.second_status = second.stdout + second.stderr, second.returncode
        up.until(lambda: holds_history(up), 30, "databases held open")
        before = written_by(up.pid("ui") or 0)
        assert all(up.dagster() for _ in range(10))
        seen.written_by_ten_looks = written_by(up.pid("ui") or 0) - before
        with seen.trial.running() as trial:
            for part in VICTIMS:
                trial.kill(part)
            trial.kill("receiver", signal.SIGSTOP)
            trial.all_published(120)
        seen.exit_status = up.stop(signal.SIGTERM)
        seen.said = up.said
        seen.left_over = processes_on(data)
        seen.service_files = {file.name for file in (data / "service").iterdir()}
    return seen


def has_tables(data: Path) -> bool:
    log = data / "service" / "recovery.log"
    return log.exists() and "ready" in log.read_text()


def holds_history(up: Up) -> bool:
    files = Path(f"/proc/{up.process.pid}/fd").iterdir()
    return any("index.db" in str(file.readlink()) for file in files)


def written_by(pid: int) -> int:
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def test_every_part_comes_back(storm: Storm) -> None:
    assert set(storm.trial.backs) == set(VICTIMS)
    for part in ("receiver", "code server", "ui", "daemon"):
        assert f"The {part} was ended by SIGKILL; starting it again" in storm.said
    assert "was killed; the next run goes on" in storm.said


def test_the_receiver_cannot_be_reached_only_while_it_is_the_victim(storm: Storm) -> None:
    assert storm.trial.other_gaps == []
    assert storm.trial.receiver_gaps, "it was killed, and nobody noticed"
    assert storm.trial.refused == []


def test_a_stopped_receiver_is_killed_and_started_again(storm: Storm) -> None:
    assert "The receiver does not answer; it is killed." in storm.said
    assert len(storm.trial.backs["receiver"]) == 2


def test_everything_acknowledged_is_published(storm: Storm) -> None:
    published = ask(settings_of(storm.trial.up.data), "select count(*) from core.sms_status")
    assert published[0][0] >= len(storm.trial.latencies) > 100


def test_dagsters_tables_are_made_by_one_process(storm: Storm) -> None:
    """Two at the same time leave two heads in `alembic_version`, and nothing starts ever after."""
    assert storm.too_early == []
    assert storm.said.index("Ctrl-C") < storm.said.index("starting it again")


def test_reading_the_history_writes_nothing(storm: Storm) -> None:
    """Each of Dagster's connections would otherwise make the database's log, and remove it."""
    assert storm.written_by_ten_looks < 100_000


def test_a_second_one_on_the_folder_is_one_sentence(storm: Storm) -> None:
    assert storm.second_status == 1
    assert storm.second.startswith("dlr: `dlr up` already runs on ")
    assert storm.second.count("\n") == 1


def test_it_says_how_many_pushes_and_runs_there_were(storm: Storm) -> None:
    assert "pushes landed" in storm.said
    assert " succeeded" in storm.said
    assert "Traceback" not in storm.said


def test_sigterm_is_a_clean_stop(storm: Storm) -> None:
    assert storm.exit_status == 0
    assert storm.left_over == []
    assert "up.json" not in storm.service_files
    assert storm.said.splitlines()[-1] == "Stopped."


@pytest.mark.parametrize("signals", [[signal.SIGHUP], [signal.SIGINT, signal.SIGINT]])
def test_other_ways_to_stop(signals: list[int], tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_up(data) as up:
        up.until_it_says("Push URL", 60)
        for number in signals:
            os.killpg(up.process.pid, number)
            time.sleep(0.2)
        assert up.process.wait(30) == 0
        assert up.said.splitlines()[-1] == "Stopped."
    assert processes_on(data) == []


@linux_only
def test_killed_outright_it_leaves_nothing_running(tmp_path: Path) -> None:
    """Not even what was stopped, or was about to start."""
    data = tmp_path / "data"
    with running_up(data) as up:
        up.until_it_says("Push URL", 60)
        up.until(lambda: up.pid("code_server"), 60, "code server")
        os.kill(up.pid("receiver") or 0, signal.SIGSTOP)
        up.process.kill()
        up.process.wait()
        deadline = time.monotonic() + 30
        while processes_on(data) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert processes_on(data) == []
        assert (data / "service" / "up.json").exists(), "whoever looks can tell that it was killed"


@pytest.mark.skipif(NO_DISKS is not None, reason=str(NO_DISKS))
def test_it_starts_on_a_full_disk_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with small_disk(data, 256 * 1024**2):
        filler = data / "filler"
        fill_up(filler)
        with running_up(data, QUICK) as up:
            up.until_it_says("Push URL", 60)
            up.until_it_says("Only the receiver runs until this is over: ", 10)
            assert (up.push(1).status, up.get("/readyz"), up.get("/healthz")) == (503, 503, 200)
            filler.unlink()
            up.until(lambda: up.push(1).status == 200, 60, "a push that lands")
            up.until((data / "analytics.duckdb").exists, 120, "publication")
            up.until_it_says("Ctrl-C")
            assert up.stop() == 0
        assert "Traceback" not in up.said


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_data_folder_is_upgraded_while_pushes_are_received(
    version: int, tmp_path: Path
) -> None:
    settings = unpack(version, tmp_path)
    with running_up(settings.data, QUICK) as up:
        up.until_it_says("Push URL", 60)
        assert up.push(990_001).status == 200
        up.until_it_says("The data folder is of an earlier version; upgrading it.")
        up.until_it_says(f"The data folder was upgraded to format {FORMAT}.")
        up.until(lambda: is_published(up, 990_001), 120, "publication of the push")
        assert up.stop() == 0


def is_published(up: Up, sid: int) -> bool:
    rows = ask(settings_of(up.data), f"select count(*) from core.sms_status where sid = {sid}")
    return rows == [(1,)]
