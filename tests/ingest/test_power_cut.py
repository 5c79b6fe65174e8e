"""Power cuts: what was answered SUCCESS is on the medium, not in some cache on the way to it.

The long version is a command: ``python -m tests.torture --power-cuts 20``.
"""

import random
from pathlib import Path

import pytest

from tests.torture.power_cuts import (
    FILES_ARE_NOT_SYNCED,
    FOLDERS_ARE_NOT_SYNCED,
    NOTHING_IS_SYNCED,
    power_cut,
)

pytestmark = pytest.mark.usefixtures("disks")


@pytest.mark.parametrize("seed", range(3))
def test_after_a_power_cut_nothing_acknowledged_is_lost_or_torn(seed: int, tmp_path: Path) -> None:
    books = power_cut(tmp_path, random.Random(seed))
    assert books.acknowledged
    assert not books.faults


def test_without_any_sync_everything_is_lost(tmp_path: Path) -> None:
    books = power_cut(tmp_path, random.Random(4), prelude=NOTHING_IS_SYNCED)
    assert books.lost == set(books.acknowledged)


def test_without_sync_of_the_files_they_are_in_sight_and_torn(tmp_path: Path) -> None:
    books = power_cut(tmp_path, random.Random(5), prelude=FILES_ARE_NOT_SYNCED)
    assert books.torn
    assert books.lost


def test_without_sync_of_the_folders_the_last_ones_are_not_in_sight(tmp_path: Path) -> None:
    books = power_cut(tmp_path, random.Random(6), prelude=FOLDERS_ARE_NOT_SYNCED)
    assert books.lost
    assert books.swept
    assert not books.torn
