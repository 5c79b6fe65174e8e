"""What `dlr verify` costs: ``python -m benchmarks.verify``, a million records with their sends.

Traffic as the simulator makes it (copies, conflicts, rejects), taken in and published; then the
command as a user types it. Memory is that of all its processes together: the sum of their
proportional set sizes (PSS), so that shared pages count once, looked at ten times a second.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.pipeline.data import land, sends_file, simulated
from contract.settings import Settings, load_settings
from pipelines.load.load import load
from pipelines.load.marts import refresh_marts
from pipelines.models.warehouse import open_warehouse
from pipelines.publish.publish import publish

_LOOK_EVERY_S = 0.1


def main() -> int:
    """Make the folder, verify it, print one JSON object with seconds, CPU seconds and bytes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=1_000_000)
    records = parser.parse_args().records
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data=Path(folder) / "data", _env_file=None)
        _take(settings, records)
        figures = _verify(settings)
    print(json.dumps({"records": records, **figures}))  # noqa: T201  a command prints
    return 0 if figures["exit_status"] == 0 else 1


def _take(settings: Settings, records: int) -> None:
    settings.sends.mkdir(parents=True, exist_ok=True)
    land(simulated(records, sends_file(settings.data)), settings.data)
    with open_warehouse(settings) as con:
        load(con, settings, "benchmark")
        refresh_marts(con, "benchmark")
        publish(con, settings)


def _verify(settings: Settings) -> dict[str, float]:
    command = [sys.executable, "-m", "cli.main", "verify"]
    env = os.environ | {"DLR_DATA": str(settings.data)}
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command, env=env, start_new_session=True)  # noqa: S603  our own
    peak = 0
    while process.poll() is None:
        peak = max(peak, _tree_bytes(process.pid))
        time.sleep(_LOOK_EVERY_S)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "exit_status": process.returncode,
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(
            after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, 1
        ),
        "peak_bytes": peak,
    }


def _tree_bytes(session: int) -> int:
    """Memory of all processes of a session."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(") ")[2].split()
            if int(fields[3]) == session:
                lines = (folder / "smaps_rollup").read_text().splitlines()
                total += sum(int(one.split()[1]) for one in lines if one.startswith("Pss:")) * 1024
        except (OSError, IndexError):
            # ended meanwhile
            continue
    return total


if __name__ == "__main__":
    sys.exit(main())
