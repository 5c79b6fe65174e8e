"""Whatever lies in the landing folder never stops the path: it is named, and the rest goes on."""

import os
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cli.run import summary
from cli.status import lines
from contract.settings import Settings
from pipelines.landing import closed_partitions
from pipelines.landing.compaction import compact
from pipelines.runs import status
from pipelines.runs.rebuild import rebuild
from pipelines.runs.status import read_status
from tests.data_folder import form, land, push, record, run, take, warehouse


def day(settings: Settings) -> Path:
    """The landing folder of the tests' day."""
    return settings.landing / "yunpian" / "2026-03-02"


@pytest.fixture
def oddities(settings: Settings) -> Settings:
    """A good file, and one of every kind of bad one."""
    land(settings, [push(form([record(n)]), n) for n in (1, 2)], "good")
    torn = land(settings, [push(form([record(n)]), n) for n in (3, 4)], "torn")
    torn.write_bytes(torn.read_bytes()[:-50])
    land(settings, [push(form([record(5)]), 5)], "altered")
    altered = day(settings) / "20260302T080000.000000Z-altered.jsonl"
    altered.write_bytes(altered.read_bytes().replace(b"15205201314", b"15205201315"))
    (day(settings) / "empty.jsonl").touch()
    (day(settings) / "foreign.jsonl").write_text("date,sent\n2026-03-02,7\n")
    (day(settings) / "binary.jsonl").write_bytes(bytes(range(256)) * 9)
    (day(settings) / "notes.txt").write_text("not for you")
    (day(settings) / "folder.jsonl").mkdir()
    (day(settings) / "gone.jsonl").symlink_to(settings.data / "nowhere.jsonl")
    (day(settings) / ".being-copied.jsonl").write_text("hidden")
    return settings


def test_bad_files_are_quarantined_and_the_rest_goes_through(oddities: Settings) -> None:
    take(oddities)
    assert warehouse(oddities, "select sid from core.sms_status order by sid") == [(1,), (2,), (3,)]
    found = {Path(file).name: text for file, text in read_status(oddities).quarantined.items()}
    expected = {
        "20260302T080000.000000Z-torn.jsonl": "line 2: truncated line; 1 line(s)",
        "20260302T080000.000000Z-altered.jsonl": "line 1: the body does not match the digest",
        "empty.jsonl": "is empty",
        "foreign.jsonl": "line 1: not an envelope",
        "binary.jsonl": "not an envelope",
        "notes.txt": "is not a .jsonl file",
        "folder.jsonl": "is not a regular file",
        "gone.jsonl": "is a symbolic link",
    }
    assert found.keys() == expected.keys()
    for name, words in expected.items():
        assert words in found[name]


def test_status_counts_what_needs_a_person(oddities: Settings) -> None:
    run(oddities)
    problems = read_status(oddities).problems
    assert len(problems) == 8
    assert not any("15205201314" in problem for problem in problems)


def test_quarantined_files_are_not_read_again_until_they_change(oddities: Settings) -> None:
    take(oddities)
    assert take(oddities).files == 0
    land(oddities, [push(form([record(n)]), n) for n in (3, 4)], "torn")
    assert take(oddities).pushes == 1
    assert warehouse(oddities, "select sid from core.sms_status order by sid") == [
        (1,),
        (2,),
        (3,),
        (4,),
    ]
    assert len(read_status(oddities).quarantined) == 7


def test_a_bad_file_that_was_moved_away_needs_nobody(oddities: Settings) -> None:
    (oddities.sends).mkdir()
    (oddities.sends / "prices.csv").write_text("a,b\n1,2\n")
    run(oddities)
    started = datetime.now(UTC).replace(tzinfo=None)
    assert len(read_status(oddities).problems) == 9
    assert "Action required: 9 quarantined files" in summary(oddities, "", started)
    (day(oddities) / "empty.jsonl").rename(oddities.data / "empty.jsonl")
    (oddities.sends / "prices.csv").unlink()
    looked = read_status(oddities)
    assert len(looked.problems) == 7
    assert "quarantined  7 files" in lines(looked)
    assert "Action required: 7 quarantined files" in summary(oddities, "", started)
    run(oddities)
    assert read_status(oddities).problems == looked.problems
    (oddities.data / "empty.jsonl").rename(day(oddities) / "empty.jsonl")
    assert len(read_status(oddities).problems) == 8
    for path in (path for path in day(oddities).iterdir() if not path.name.endswith("-good.jsonl")):
        path.rename(oddities.data / path.name)
    assert read_status(oddities).problems == []


def test_a_linked_file_is_quarantined_wherever_it_leads(settings: Settings, tmp_path: Path) -> None:
    file = land(settings, [push(form([record(1)]), 1)])
    elsewhere = tmp_path / "elsewhere.jsonl"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    packed = file.with_suffix(".jsonl.gz")
    packed.symlink_to(tmp_path / "nowhere.jsonl.gz")
    run(settings)
    assert warehouse(settings, "select count(*) from raw.pushes") == [(0,)]
    found = read_status(settings).quarantined
    assert set(found) == {f"yunpian/2026-03-02/{path.name}" for path in (file, packed)}
    assert all(text.startswith("is a symbolic link; ") for text in found.values())
    elsewhere.write_bytes(elsewhere.read_bytes() * 2)
    assert read_status(settings).pending_files == 0  # nothing is read through it, nothing changed
    file.unlink()
    elsewhere.rename(file)
    take(settings)
    assert warehouse(settings, "select sid from core.sms_status") == [(1,)]


@pytest.mark.parametrize("linked", ["landing", "landing/yunpian", "landing/yunpian/2026-03-02"])
def test_a_linked_folder_works_when_it_is_sealed_and_compacted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, linked: str
) -> None:
    monkeypatch.setattr(closed_partitions, "_SETTLED_NS", 10**6)
    land(settings, [push(form([record(1)]), 1)], "a")
    land(settings, [push(form([record(2)]), 2)], "b")
    (settings.data / linked).rename(tmp_path / "other-disk")
    (settings.data / linked).symlink_to(tmp_path / "other-disk")
    time.sleep(0.01)
    take(settings)
    assert warehouse(settings, "select folder, files from ops.sealed_days") == [
        ("yunpian/2026-03-02", 2)
    ]
    land(settings, [push(form([record(3)]), 3)], "c")
    assert take(settings).pushes == 1
    assert compact(settings, date(2026, 3, 3)).files == 3
    assert [path.suffix for path in day(settings).iterdir()] == [".gz"]
    rebuild(settings, "again")
    assert warehouse(settings, "select sid from core.sms_status order by sid") == [(1,), (2,), (3,)]
    assert read_status(settings).problems == []


@pytest.mark.parametrize(("more_s", "late"), [(-5, False), (0.1, True)])
def test_status_says_when_a_file_waits_for_more_than_an_hour(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, more_s: float, *, late: bool
) -> None:
    """Told by the oldest of them; when a file came cannot be set, so the clock is."""
    run(settings)
    oldest = land(settings, [push(form([record(1)]), 1)], "a")
    time.sleep(0.3)
    land(settings, [push(form([record(2)]), 2)], "b")
    at = datetime.fromtimestamp(oldest.lstat().st_ctime + 3600 + more_s, UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return at

    monkeypatch.setattr(status, "datetime", Clock)
    found = read_status(settings)
    assert (found.pending_files, found.oldest_pending_s) == (2, pytest.approx(3600 + more_s))
    sentence = "2 landed file(s) wait for a run, the oldest for 1.0 h"
    assert [text.startswith(sentence) for text in found.problems] == [True] * late


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission_is_quarantined(settings: Settings) -> None:
    land(settings, [push(form([record(1)]), 1)]).chmod(0)
    take(settings)
    assert len(read_status(settings).quarantined) == 1


def test_the_same_push_with_another_body_needs_a_person(settings: Settings) -> None:
    land(settings, [push(form([record(1)]), 1)], "a")
    take(settings)
    land(settings, [push(form([record(2)]), 1)], "b")
    take(settings)
    assert warehouse(settings, "select sid from core.sms_status") == [(1,)]
    [problem] = read_status(settings).quarantined.values()
    assert "came in before with another body" in problem


def test_a_line_that_stands_twice_in_a_file_counts_once(settings: Settings) -> None:
    land(settings, [push(form([record(1)]), 1)] * 2)
    take(settings)
    assert warehouse(settings, "select copies from core.sms_status") == [(1,)]


def test_files_in_any_folder_below_are_taken(settings: Settings) -> None:
    file = land(settings, [push(form([record(1)]), 1)])
    elsewhere = settings.landing / "yunpian" / "from-the-other-machine" / "old" / "x.jsonl"
    elsewhere.parent.mkdir(parents=True)
    file.rename(elsewhere)
    take(settings)
    assert warehouse(settings, "select sid from core.sms_status") == [(1,)]


def test_an_empty_folder_is_no_error(settings: Settings) -> None:
    assert run(settings).published
    status = read_status(settings)
    assert (status.landed_files, status.problems) == (0, [])
