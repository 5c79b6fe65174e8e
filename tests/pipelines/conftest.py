"""Fixtures of the pipeline's tests."""

from pathlib import Path

import pytest

from contract.settings import Settings
from tests.data_folder import settings_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a data folder of the test's own."""
    return settings_of(tmp_path / "data")
