"""Finished landing days are not listed again, and nothing that changes in one is missed."""

import os
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from contract.settings import Settings
from pipelines.landing import closed_partitions
from pipelines.landing import inventory as landed
from pipelines.runs.rebuild import rebuild
from pipelines.runs.status import read_status
from pipelines.verify import verify
from tests.data_folder import form, land, push, record, run, settings_of, take, warehouse

DAY = "2026-03-02"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a folder be settled as soon as the clock has moved on."""
    monkeypatch.setattr(closed_partitions, "_SETTLED_NS", 0)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Folders of landing days that were listed."""
    names: list[str] = []
    real = landed._list_partition

    def listen(landing: Path, name: str, stamp: str) -> landed.Partition:
        names.append(name)
        return real(landing, name, stamp)

    monkeypatch.setattr(landed, "_list_partition", listen)
    return names


def folder(settings: Settings) -> Path:
    return settings.landing / "yunpian" / DAY


@pytest.fixture
def finished(settings: Settings) -> Settings:
    """A day long over, with two files, taken in."""
    for n in (1, 2):
        land(settings, [push(form([record(n)]), n)], str(n))
    time.sleep(0.02)
    run(settings)
    return settings


def test_a_finished_day_is_not_listed_again(finished: Settings, listed: list[str]) -> None:
    assert take(finished).files == 0
    status = read_status(finished)
    assert listed == []
    assert (status.landed_files, status.pending_files) == (2, 0)
    assert status.landed_bytes == sum(path.stat().st_size for path in folder(finished).iterdir())
    assert warehouse(finished, "select folder, files from ops.sealed_days") == [
        (f"yunpian/{DAY}", 2)
    ]


def test_what_comes_into_a_sealed_day_is_taken(finished: Settings, listed: list[str]) -> None:
    land(finished, [push(form([record(3)]), 3)], "late")
    assert read_status(finished).pending_files == 1
    time.sleep(0.02)
    assert take(finished).files == 1
    assert listed == [f"yunpian/{DAY}"] * 2
    assert take(finished).files == 0
    assert len(listed) == 2


def test_a_folder_whose_time_was_put_back_is_listed(finished: Settings) -> None:
    """As rsync does it, which gives a folder the time of its source."""
    before = folder(finished).stat()
    land(finished, [push(form([record(3)]), 3)], "late")
    os.utime(folder(finished), ns=(before.st_atime_ns, before.st_mtime_ns))
    assert folder(finished).stat().st_mtime_ns == before.st_mtime_ns
    assert take(finished).files == 1


def test_a_replaced_folder_is_listed(finished: Settings) -> None:
    moved = finished.landing / "yunpian" / "moved"
    folder(finished).rename(moved)
    land(finished, [push(form([record(3)]), 3)], "other")
    assert {file.name for file in folder(finished).iterdir()} == {
        "20260302T080000.000000Z-other.jsonl"
    }
    assert take(finished).files == 3


@pytest.mark.parametrize("why", ["young", "just changed", "set apart", "a folder in it", "pending"])
def test_what_is_not_finished_is_not_sealed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    file = land(settings, [push(form([record(1)]), 1)])
    if why == "young":
        monkeypatch.setattr(closed_partitions, "CLOSE_AFTER", date.today() - date(2026, 3, 2))
    elif why == "just changed":
        monkeypatch.setattr(
            closed_partitions, "_SETTLED_NS", int(timedelta(hours=1).total_seconds() * 1e9)
        )
    elif why == "set apart":
        file.write_bytes(file.read_bytes() + b"no envelope\n")
    elif why == "a folder in it":
        (file.parent / "more").mkdir()
    else:
        monkeypatch.setattr("pipelines.load.batch.in_batches", lambda files, most: iter(()))
    time.sleep(0.02)
    take(settings)
    assert warehouse(settings, "from ops.sealed_days") == []


def test_verify_and_rebuild_list_everything(finished: Settings, listed: list[str]) -> None:
    file = min(folder(finished).iterdir())
    content = file.read_bytes()
    file.write_bytes(content.replace(b"abc", b"abd"))
    assert take(finished).files == 0
    assert not verify(finished).passed
    file.write_bytes(content)
    assert str(verify(finished).findings) == "[]"
    rebuild(finished, "rebuild")
    assert listed == [f"yunpian/{DAY}"]
    rebuilt = settings_of(finished.data)
    assert read_status(rebuilt).pending_files == 0
