"""Only `dlr serve` and `dlr run` by cron: alerts about what runs, and nothing about other parts."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from cli.main import main
from contract.problems import (
    KINDS,
    PIPELINE_FILE,
    UP_FILE,
    Problem,
    read_problems,
    service_folder,
    write_json,
    write_problems,
)
from contract.settings import Settings, load_settings
from pipelines.runs.pipeline_file import record_problems
from pipelines.service.up_state import is_up_alive
from tests.data_folder import form, land, push, record, run, warehouse
from tests.service.targets import Hook, running_hook
from tests.torture.disks import ext4, why_no_disks

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def hook() -> Iterator[Hook]:
    with running_hook() as hook:
        yield hook


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hook: Hook) -> Settings:
    monkeypatch.chdir(tmp_path)
    for name in ("DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")  # so that what a run sets is taken back
    monkeypatch.setenv("DLR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DLR_ALERT_WEBHOOK", hook.url)
    return load_settings()


@pytest.fixture
def dlr(settings: Settings, capsys: Any) -> Command:
    """Run a command in this process; exit status, what it prints, what it complains of."""
    return lambda *words: (main(words), *capsys.readouterr())


def land_some(settings: Settings, sid: int = 1, name: str = "a") -> None:
    land(settings, [push(form([record(sid)]), sid)], name)


def test_a_quarantined_file_from_run_to_run(settings: Settings, hook: Hook, dlr: Command) -> None:
    land_some(settings)
    bad = settings.landing / "yunpian" / "2026-03-02" / "15205201314.txt"
    bad.write_text("not an envelope")
    for _ in range(2):
        assert dlr("run")[0] == 0
        assert hook.alerts == [("begin", "quarantined_files")]
        code, out, _ = dlr("status")
        assert code == 1
        assert "Landed file yunpian/2026-03-02/15205201314.txt is not a .jsonl file" in out
    assert (
        json.loads(dlr("status", "--json")[1])["named_problems"][0]["name"] == "quarantined_files"
    )
    files = [path for path in service_folder(settings.data).rglob("*") if path.is_file()]
    told = json.dumps(hook.posts) + "".join(path.read_text() for path in files)
    assert "1 file(s) are quarantined; `dlr status` names each and says why." in told
    assert "15205201314" not in told
    assert hook.url not in told
    bad.unlink()
    dlr("run")
    assert hook.alerts == [("begin", "quarantined_files"), ("end", "quarantined_files")]
    assert dlr("status")[0] == 0


def test_a_check_that_fails_is_known_until_it_passes(
    settings: Settings, hook: Hook, dlr: Command
) -> None:
    land_some(settings)
    run(settings)
    warehouse(settings, "delete from core.sms_status")
    land_some(settings, 2, "b")
    code, _, error = dlr("run")
    assert code == 1
    assert "a check failed" in error
    assert sorted(hook.alerts) == [("begin", "check_failed"), ("begin", "ledger_unbalanced")]
    code, out, _ = dlr("status")
    assert code == 1
    assert "Nothing is published because a check failed: conservation_law of ops.ledger." in out
    assert dlr("rebuild")[0] == 0
    assert dlr("run")[0] == 0
    assert sorted(hook.alerts)[2:] == [("end", "check_failed"), ("end", "ledger_unbalanced")]
    assert dlr("status")[0] == 0


def test_runs_that_fail_in_a_row(
    settings: Settings, hook: Hook, dlr: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.runs import assets

    def broken(*_: object) -> None:
        raise OSError("the disk said no to 15205201314")

    land_some(settings)
    run(settings)
    with monkeypatch.context() as change:
        change.setattr(assets, "load", broken)
        for n in range(3):
            assert dlr("run")[0] == 1
            assert hook.alerts == [("begin", "runs_failing")] * (n >= 2)
        code, out, _ = dlr("status")
    assert code == 1
    assert "The last 3 runs failed, the newest is " in out
    assert "15205201314" not in json.dumps(hook.posts)
    assert dlr("run")[0] == 0
    assert hook.alerts == [("begin", "runs_failing"), ("end", "runs_failing")]


def test_nothing_is_said_of_parts_that_are_not_meant_to_run(
    settings: Settings, hook: Hook, dlr: Command
) -> None:
    land_some(settings)
    folder = service_folder(settings.data)
    of_parts = [Problem(name, "It is so.") for name, kind in KINDS.items() if kind.of_parts]
    write_problems(folder, datetime.now(UTC), of_parts)  # as a `dlr up` left it that was stopped
    assert dlr("status")[0] == 0
    assert dlr("run")[0] == 0
    assert hook.posts == []
    assert dlr("status")[0] == 0


def test_a_killed_up_is_said_by_status_and_run(
    settings: Settings, hook: Hook, dlr: Command
) -> None:
    land_some(settings)
    folder = service_folder(settings.data)
    dead = os.fork()
    if dead == 0:
        os._exit(0)
    os.waitpid(dead, 0)
    write_json(folder / UP_FILE, {"pid": dead})
    code, out, _ = dlr("status")
    assert code == 1
    assert "`dlr up` was killed, and with it the receiver." in out
    dlr("run")
    assert hook.alerts == [("begin", "up_killed")]
    (folder / UP_FILE).unlink()
    dlr("run")
    assert hook.alerts == [("begin", "up_killed"), ("end", "up_killed")]
    assert dlr("status")[0] == 0


def test_an_up_that_lives_does_it_itself(settings: Settings, hook: Hook, dlr: Command) -> None:
    folder = service_folder(settings.data)
    folder.mkdir(parents=True)
    land_some(settings)
    (settings.landing / "yunpian" / "2026-03-02" / "bad.txt").write_text("")
    write_json(folder / UP_FILE, {"pid": os.getpid()})
    assert is_up_alive(settings)
    assert dlr("run")[0] == 0
    assert hook.posts == []
    assert not (folder / "problems.json").exists()
    with FileLock(folder / "up.lock"):
        write_json(folder / UP_FILE, {"pid": 2**22 + 1})  # of another container
        assert is_up_alive(settings)
    assert not is_up_alive(settings)
    (folder / "up.lock").unlink(missing_ok=True)
    for garbage in (b"", b"[]", b'{"pid": "x"}', b'{"pid": null}'):
        (folder / UP_FILE).write_bytes(garbage)
        assert not is_up_alive(settings)


def test_a_warehouse_that_is_busy_for_long_is_no_problem(
    settings: Settings, hook: Hook, dlr: Command
) -> None:
    land_some(settings)
    run(settings)
    bad = settings.landing / "yunpian" / "2026-03-02" / "bad.txt"
    bad.write_text("")
    dlr("run")
    folder = service_folder(settings.data)
    known = read_problems(folder, PIPELINE_FILE)
    assert known
    assert [each.name for each in known.problems] == ["quarantined_files"]
    bad.unlink()
    code = (
        "import sys\nfrom contract.settings import load_settings\n"
        "from pipelines.folder.lock import pipeline_lock\n"
        "with pipeline_lock(load_settings()):\n    print('held', flush=True)\n    sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        record_problems(settings)
        during = read_problems(folder, PIPELINE_FILE)
        holder.communicate("")
    assert during
    assert during.problems == known.problems
    record_problems(settings)
    after = read_problems(folder, PIPELINE_FILE)
    assert after
    assert after.problems == ()


@pytest.mark.skipif(why_no_disks() is not None, reason=str(why_no_disks()))
def test_a_full_disk_is_said_though_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings, hook: Hook, dlr: Command
) -> None:
    disk = tmp_path / "disk"
    with ext4(disk, 192 * 1024**2):
        monkeypatch.setenv("DLR_DATA", str(disk / "data"))
        there = load_settings()
        land_some(there)
        assert dlr("run")[0] == 0
        assert hook.alerts == [("begin", "disk_bytes")] * (shutil.disk_usage(disk).free < 2**27)
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(b"x" * 2**20):
                pass
        code, _, sentence = dlr("run")
        assert code == 1
        assert sentence.startswith("dlr: ")
        assert hook.alerts == [("begin", "disk_bytes")]
        code, out, _ = dlr("status")
        assert code == 1
        assert "has 0 MiB free of" in out
