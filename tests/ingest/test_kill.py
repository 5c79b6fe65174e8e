"""Kills and stops under load: what was answered SUCCESS is there, and nothing else is in sight.

The long version is a command: ``python -m tests.torture --kills 200``.
"""

import contextlib
import random
from pathlib import Path

import pytest

from tests.ingest.asking import until
from tests.live import landed_files, running_receiver
from tests.torture.books import Books, left_behind, partials_of
from tests.torture.kills import (
    WRITES_THE_LAST_BYTE_LATE,
    Kills,
    survivor,
    wait_for_first,
)
from tests.torture.load import PROXIES, load

DIES_AFTER_SWEEPING_ONE = """
import os, pathlib, signal
rename = pathlib.Path.rename
def deadly_rename(path, target):
    rename(path, target)
    os.kill(os.getpid(), signal.SIGKILL)
pathlib.Path.rename = deadly_rename
"""


def test_killed_under_load_nothing_acknowledged_is_lost_or_torn(tmp_path: Path) -> None:
    kills = Kills(tmp_path / "data", random.Random(1))
    for _ in range(5):
        kills.round()
    # At least one moment must have been in the midst of a write.
    while not kills.kills_with_torn_partials:
        kills.round(prelude=WRITES_THE_LAST_BYTE_LATE)
        assert kills.kills < 40
    kills.finish()
    assert not kills.books.faults
    assert len(kills.books.acknowledged) > 100


def test_one_is_killed_and_the_other_goes_on(tmp_path: Path) -> None:
    kills = Kills(tmp_path / "data", random.Random(2))
    with survivor(kills.data, 2, kills.books) as kills.living:
        for _ in range(3):
            kills.round()
    kills.finish()
    assert not kills.books.faults


def test_killed_while_sweeping_nothing_half_written_is_lost(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_receiver(data):
        pass
    for number in range(3):
        (partials_of(data) / f"{number}.jsonl.partial").write_bytes(b'{"half %d' % number)
    left = left_behind(data)
    for _ in range(2):
        with (
            contextlib.suppress(AssertionError),  # it never says where it listens
            running_receiver(data, prelude=DIES_AFTER_SWEEPING_ONE),
        ):
            pass
    assert len(left_behind(data)) == 1
    with running_receiver(data):
        books = Books(data)
        books.check_swept(left)
    assert (len(books.swept), books.faults) == (3, [])


def test_stopped_under_load_every_push_is_answered_truly(tmp_path: Path) -> None:
    """SIGTERM: landed and SUCCESS, or 503, or closed without an answer; and exit code 0."""
    data = tmp_path / "data"
    with (
        running_receiver(data, quick_stop=False, DLR_TRUSTED_PROXIES=PROXIES) as live,
        load(live, 3, connections=32) as answers,
    ):
        until(lambda: len(answers.acknowledged) > 32)
        live.process.terminate()
        assert live.process.wait(10) == 0
    assert set(answers.refused) == {"shutting_down"}
    assert not answers.odd
    books = Books(data)
    books.audit(answers.acknowledged)
    assert not books.faults
    assert not left_behind(data)


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """Return books on a folder with one push landed, all in order."""
    data = tmp_path / "data"
    with (
        running_receiver(data, DLR_TRUSTED_PROXIES=PROXIES) as live,
        load(live, 4, connections=1) as answers,
    ):
        wait_for_first(answers)
    books = Books(data)
    books.audit(answers.acknowledged)
    assert not books.faults
    return books


def test_the_books_find_what_is_wrong(books: Books) -> None:
    (first, *_) = landed_files(books.data)
    whole = first.read_bytes()
    first.write_bytes(whole[:-1])
    books.audit_from_scratch()
    assert books.torn == {first.name}
    assert books.lost
    first.write_bytes(whole.replace(b'"sha256": "', b'"sha256": "0'))
    torn = Books(books.data)
    torn.audit({})
    assert torn.torn == {first.name}


def test_the_books_find_a_file_that_changed_and_one_that_is_gone(books: Books) -> None:
    (first, *_) = landed_files(books.data)
    first.write_bytes(first.read_bytes())
    books.audit({})
    assert books.strange == [f"changed or gone: {first.name}"]
    first.unlink()
    books.audit({})
    assert books.strange == [f"changed or gone: {first.name}"] * 2
    books.audit_from_scratch()
    assert books.lost


def test_the_books_find_what_was_deleted_instead_of_swept(books: Books) -> None:
    books.check_swept({"a.partial": b"half"})
    assert books.strange == ["not swept aside as it was: a.partial"]
