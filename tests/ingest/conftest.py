"""Fixtures of the receiver's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.folder import LandingFolder
from tests.live import Live, running_receiver
from tests.torture.disks import why_no_disks


@pytest.fixture(scope="session")
def live_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data folder of the shared receiver."""
    return tmp_path_factory.mktemp("live") / "data"


@pytest.fixture(scope="session")
def live(live_data: Path) -> Iterator[Live]:
    """Run the receiver shared by all tests that leave it as it was."""
    with running_receiver(live_data, DLR_MAX_BODY_BYTES="100000") as running:
        yield running


@pytest.fixture(scope="session")
def disks() -> None:
    """Skip where no disks can be mounted."""
    if reason := why_no_disks():
        pytest.skip(reason)


@pytest.fixture
def folder(tmp_path: Path) -> LandingFolder:
    """Open a landing folder of the test's own."""
    made = LandingFolder(tmp_path / "landing" / "yunpian", free_floor_bytes=0)
    made.open()
    return made
