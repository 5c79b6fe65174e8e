"""Fixtures of the receiver's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.folder import LandingFolder
from tests.live import Live, running_receiver


@pytest.fixture(scope="session")
def live_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data folder of the shared receiver; tests tell their pushes by their bodies."""
    return tmp_path_factory.mktemp("live") / "data"


@pytest.fixture(scope="session")
def live(live_data: Path) -> Iterator[Live]:
    """Receiver shared by all tests that leave it as it was."""
    with running_receiver(live_data, DLR_MAX_BODY_BYTES="100000") as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> LandingFolder:
    """Open landing folder of its own."""
    made = LandingFolder(tmp_path / "landing" / "yunpian", free_floor_bytes=0)
    made.open()
    return made
