"""Dagster's run history in the data folder, and keeping it small.

SQLite storage grows by about 150 kB a run, and deleting a run leaves its database file.
"""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

KEEP = timedelta(days=7)


def sweep_history(instance: dg.DagsterInstance, keep: timedelta = KEEP) -> int:
    """Forget finished runs older than ``keep``; returns how many."""
    old = instance.get_run_records(
        dg.RunsFilter(
            created_before=datetime.now(UTC) - keep,
            statuses=[
                dg.DagsterRunStatus.SUCCESS,
                dg.DagsterRunStatus.FAILURE,
                dg.DagsterRunStatus.CANCELED,
            ],
        )
    )
    home = Path(instance.root_directory)
    for record in old:
        run_id = record.dagster_run.run_id
        instance.delete_run(run_id)
        for left_over in (home / "history" / "runs").glob(f"{run_id}.db*"):
            left_over.unlink()
        shutil.rmtree(home / "storage" / run_id, ignore_errors=True)
    return len(old)
