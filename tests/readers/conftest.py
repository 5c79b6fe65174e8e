"""Fixtures: something published, and a Python with an older DuckDB."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from pipelines.sends.files import bring_in
from tests.command import ROOT
from tests.data_folder import run, settings_of
from tests.readers.published import Published
from tests.simulated import land_in_files, simulated

_OLDER = ROOT / ".venv-duckdb1"
_PINS = Path(__file__).parent / "duckdb1.txt"


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Two days of traffic with its send log and some bad records, published."""
    folder = tmp_path_factory.mktemp("readers")
    traffic = simulated(folder, messages=4_000, days=2, seed=21, bad=0.01)
    settings = settings_of(folder / "data")
    land_in_files(settings, traffic.envelopes)
    assert bring_in(settings, traffic.log)
    run(settings)
    return Published(settings, traffic)


@pytest.fixture(scope="session")
def older_python() -> Path:
    """Python of an environment with DuckDB 1.x, made once for this checkout.

    Where it cannot be installed the tests are left out, but never in CI.
    """
    with FileLock(f"{_OLDER}.lock"):
        stamp = _OLDER / "installed.txt"
        if not stamp.exists() or stamp.read_text("utf-8") != _PINS.read_text("utf-8"):
            problem = _install()
            if problem and os.environ.get("CI"):
                pytest.fail(f"the environment with DuckDB 1.x cannot be installed: {problem}")
            if problem:
                pytest.skip(f"left out, for DuckDB 1.x cannot be installed: {problem}")
            stamp.write_text(_PINS.read_text("utf-8"), encoding="utf-8")
    return _OLDER / "bin" / "python"


def _install() -> str:
    """Make the environment; returns what went wrong, if anything."""
    python = str(_OLDER / "bin" / "python")
    options = ("--quiet", "--disable-pip-version-check", "--requirement", str(_PINS))
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(_OLDER)],
        [python, "-m", "pip", "install", *options],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1] if done.stderr else "no reason given"
    return ""
