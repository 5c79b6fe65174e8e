"""Whatever lies in the landing folder never stops the path: it is named, and the rest goes on."""

import os
from pathlib import Path

import pytest

from ingest.settings import Settings
from pipelines.status import read_status
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


def test_bad_files_are_set_apart_and_the_rest_goes_through(oddities: Settings) -> None:
    take(oddities)
    assert warehouse(oddities, "select sid from core.sms_status order by sid") == [(1,), (2,), (3,)]
    found = {Path(file).name: text for file, text in read_status(oddities).set_apart.items()}
    expected = {
        "20260302T080000.000000Z-torn.jsonl": "line 2: truncated line; 1 line(s)",
        "20260302T080000.000000Z-altered.jsonl": "line 1: the body does not have the digest",
        "empty.jsonl": "is empty",
        "foreign.jsonl": "line 1: no envelope",
        "binary.jsonl": "no envelope",
        "notes.txt": "is a foreign file",
        "folder.jsonl": "is no file",
        "gone.jsonl": "cannot be read",
    }
    assert found.keys() == expected.keys()
    for name, words in expected.items():
        assert words in found[name]


def test_status_counts_what_needs_a_person(oddities: Settings) -> None:
    run(oddities)
    problems = read_status(oddities).problems
    assert len(problems) == 8
    assert not any("15205201314" in problem for problem in problems)


def test_set_apart_files_are_not_read_again_until_they_change(oddities: Settings) -> None:
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
    assert len(read_status(oddities).set_apart) == 7


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission_is_set_apart(settings: Settings) -> None:
    land(settings, [push(form([record(1)]), 1)]).chmod(0)
    take(settings)
    assert len(read_status(settings).set_apart) == 1


def test_the_same_push_with_another_body_needs_a_person(settings: Settings) -> None:
    land(settings, [push(form([record(1)]), 1)], "a")
    take(settings)
    land(settings, [push(form([record(2)]), 1)], "b")
    take(settings)
    assert warehouse(settings, "select sid from core.sms_status") == [(1,)]
    [problem] = read_status(settings).set_apart.values()
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
