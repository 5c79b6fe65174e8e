"""The `dlr` command in a process of its own, for tests."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def environment(data: Path, **more: str) -> dict[str, str]:
    """What the command sees: nothing of the developer's settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DLR_")}
    inherited.pop("DAGSTER_HOME", None)
    return {**inherited, "PYTHONPATH": str(ROOT), "DLR_DATA": str(data), **more}


def dlr(data: Path, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end."""
    data.parent.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *words],
        cwd=data.parent,
        env=environment(data, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
