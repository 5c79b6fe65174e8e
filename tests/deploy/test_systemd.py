"""The unit of `deploy/`, held against systemd's own opinion of it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.command import ROOT

UNIT = ROOT / "deploy" / "dlr.service"

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a command that exists here."""
    text = UNIT.read_text()
    assert "ExecStart=/opt/dlr/bin/dlr up\n" in text
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace("/opt/dlr/bin/dlr up", "/bin/true"))
    return copy


def test_systemd_finds_nothing_wrong(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []
    assert done.returncode == 0, done.stderr


def test_it_is_confined(unit: Path) -> None:
    words = ["systemd-analyze", "security", "--offline=true", "--json=short", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    exposure = sum(float(row["exposure"] or 0) for row in json.loads(done.stdout))
    assert exposure < 2.5, done.stdout
