"""Dagster's run history in the data folder: marks dead runs as failed, and deletes old ones.

    $DLR_DATA/dagster/running/<run id>.lock    locked by the process of a run as long as it lives

Dagster does not notice that a process was killed: its run would stay in progress for ever and block
all others, because only one may run at a time. The lock of a dead process is free.
"""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from contract.settings import Settings
from pipelines.folder.lock import WarehouseBusyError, pipeline_lock

KEEP = timedelta(days=7)
START = timedelta(minutes=2)
"""A run older than this has reached its first step if its process lives."""
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

_held: dict[str, FileLock] = {}


def hold_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Show other processes that this one, which runs the run, is alive; until it ends."""
    if run_id not in _held:
        lock = FileLock(_lock_file(instance, run_id))
        lock.acquire()
        _held[run_id] = lock


def bury_dead_runs(instance: dg.DagsterInstance, settings: Settings) -> int:
    """Mark runs whose process is gone as failed; returns how many."""
    started = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    dead = [record for record in started if _is_dead(instance, settings, record)]
    for record in dead:
        instance.report_run_failed(
            record.dagster_run,
            "The process of this run was killed, or its machine stopped. Nothing is lost: the next "
            "run processes what it left pending.",
        )
        _lock_file(instance, record.dagster_run.run_id).unlink(missing_ok=True)
    return len(dead)


def _is_dead(instance: dg.DagsterInstance, settings: Settings, record: dg.RunRecord) -> bool:
    lock_file = _lock_file(instance, record.dagster_run.run_id)
    if lock_file.exists():
        return _is_free(lock_file)
    age = datetime.now(UTC).timestamp() - (record.start_time or record.create_timestamp.timestamp())
    return age > START.total_seconds() and not _is_locked(settings)


def _is_free(lock_file: Path) -> bool:
    try:
        with FileLock(lock_file, timeout=0):
            return True
    except Timeout:
        return False


def _is_locked(settings: Settings) -> bool:
    try:
        with pipeline_lock(settings, patience_s=0):
            return False
    except WarehouseBusyError:
        return True


def _lock_file(instance: dg.DagsterInstance, run_id: str) -> Path:
    folder = Path(instance.root_directory) / "running"
    folder.mkdir(exist_ok=True)
    return folder / f"{run_id}.lock"


def sweep_history(instance: dg.DagsterInstance, keep: timedelta = KEEP) -> int:
    """Delete finished runs older than ``keep``; returns how many.

    SQLite storage grows by about 150 kB a run, and deleting a run leaves its database file. The
    newest run of each partition stays: without it, Dagster would forget that the partition is done.
    """
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
    needed = set(_newest_of_partitions(instance))
    run_ids = {record.dagster_run.run_id for record in old} - needed
    for run_id in run_ids:
        instance.delete_run(run_id)
        _remove_files(instance, run_id)
    return len(run_ids)


def _newest_of_partitions(instance: dg.DagsterInstance) -> Iterator[str]:
    """Run that last materialised each partition."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    for asset in instance.all_asset_keys():
        newest = instance.event_log_storage.get_latest_storage_id_by_partition(asset, kind)
        if newest:
            ids = list(newest.values())
            records = instance.event_log_storage.get_event_records(
                dg.EventRecordsFilter(kind, asset_key=asset, storage_ids=ids)
            )
            yield from (record.run_id for record in records)


def _remove_files(instance: dg.DagsterInstance, run_id: str) -> None:
    home = Path(instance.root_directory)
    for left_over in (home / "history" / "runs").glob(f"{run_id}.db*"):
        left_over.unlink()
    _lock_file(instance, run_id).unlink(missing_ok=True)
    shutil.rmtree(home / "storage" / run_id, ignore_errors=True)
