"""Many runs with retention scaled down: ``python -m tests.torture.history --runs 1000``.

After a few hundred runs every table, file and log of Dagster has the size that it keeps. Sizes are
looked at right after a sweep, and are printed as they were after ``--early`` runs and at the end.
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import dagster as dg

from contract.settings import Settings
from pipelines.runs.graph import definitions
from pipelines.runs.instance import dagster_instance
from pipelines.runs.retention import KEEP, Keep, sweep_history, sweep_if_due
from tests.data_folder import form, land, push, record, settings_of

LIMIT_BYTES = 300_000_000
GROWTH = 1.1
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_SMALL = 16_384
"""Bytes, or rows, below which a few pages more say nothing."""


def execute(instance: dg.DagsterInstance, settings: Settings, number: int) -> str:
    """Land a push and process it, as `dlr run` does; returns the run's id."""
    land(settings, [push(form([record(number)]), number)], f"{number:06d}")
    job = definitions().resolve_job_def("refresh")
    result = job.execute_in_process(instance=instance, run_config=_QUIET)
    assert result.success
    return result.run_id


def sizes(settings: Settings) -> Counter[str]:
    """Bytes of Dagster's files, and rows of its tables; the runs' own files count as one."""
    found: Counter[str] = Counter()
    home = settings.data / "dagster"
    for path in home.rglob("*"):
        if path.is_file() and path.parent.name != "running":
            name = path.relative_to(home)
            runs = name.parts[:2] == ("history", "runs") and name.stem != "index"
            of_run = f"history/runs/<run>{path.suffix}"
            found[of_run if runs else str(name)] += path.stat().st_size
            found["bytes"] += path.stat().st_size
            found["files"] += 1
    for name in ("history/runs.db", "history/runs/index.db", "schedules/schedules.db"):
        with closing(sqlite3.connect(home / name)) as con:
            for (table,) in con.execute("select name from sqlite_master where type = 'table'"):
                [(rows,)] = con.execute(f"select count(*) from {table}")
                found[f"rows of {name}: {table}"] = rows
    return found


def grown(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """What is more than 1.1 times as large as it was."""
    return [
        f"{name}: {before.get(name, 0):,} → {size:,}"
        for name, size in sorted(after.items())
        if size > GROWTH * before.get(name, 0)
        and (size > _SMALL or name.startswith("rows"))
        and size - before.get(name, 0) > 2
    ]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run, sweep and measure; returns 1 where something grew, or 300 MB would not do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--early", type=int, default=300)
    parser.add_argument("--keep", type=int, default=20)
    asked = parser.parse_args()
    keep = Keep(runs=asked.keep, failed=5)
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_of(Path(folder) / "data")
        with dagster_instance(settings) as instance:
            early: Counter[str] = Counter()
            for number in range(1, asked.runs + 1):
                started = time.monotonic()
                execute(instance, settings, number)
                swept = sweep_if_due(instance, keep)
                if number % 10 == 0:
                    took = time.monotonic() - started
                    total = sizes(settings)["bytes"]
                    say(f"{number} runs, {total:,} bytes, {took:.1f} s, {swept} gone")
                if number == asked.early:
                    sweep_history(instance, keep)
                    early = sizes(settings)
            largest = sizes(settings)
            sweep_history(instance, keep)
            late = sizes(settings)
    return _summary(early, late, _bytes_of_databases(largest) // asked.keep)


def _bytes_of_databases(found: Counter[str]) -> int:
    return sum(size for name, size in found.items() if name.endswith(".db"))


def _summary(early: Counter[str], late: Counter[str], bytes_a_run: int) -> int:
    for name in sorted(early | late):
        say(f"{name:60} {early[name]:>12,} {late[name]:>12,}")
    kept = KEEP.runs + KEEP.failed
    will_be = int(bytes_a_run * kept * GROWTH)
    say(f"{bytes_a_run:,} bytes a run, {kept} runs and a tenth kept: {will_be:,} bytes")
    trouble = grown(early, late)
    say("\n".join(trouble) or "Nothing grew.")
    return 1 if trouble or will_be > LIMIT_BYTES else 0


if __name__ == "__main__":
    sys.exit(main())
