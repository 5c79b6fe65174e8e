"""Runs whose process is dead are marked as failed.

    $DLR_DATA/dagster/running/<run id>.lock    locked by the process of a run as long as it lives
    $DLR_DATA/dagster/running/<run id>.pid     its process id
    $DLR_DATA/dagster/running/<run id>.cause   why `dlr up` ended it, if it did

Dagster does not notice that a process was killed: its run would stay in progress for ever and block
all others, because only one may run at a time. The lock of a dead process is free.
"""

import multiprocessing
import os
from datetime import UTC, datetime, timedelta
from multiprocessing.util import Finalize
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from contract.settings import Settings
from pipelines.folder.lock import WarehouseBusyError, pipeline_lock
from pipelines.runs.parent import end_with

START = timedelta(minutes=2)
"""A run older than this has reached its first step if its process lives."""
LAUNCH = timedelta(minutes=1)
"""A run that has been launched for so long has started if its process lives."""
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

_LAUNCHED_TAG = ".dagster/grpc_info"
"""Dagster's tag of a run that a code server was asked to start."""
_held: dict[str, FileLock] = {}


def hold_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Show other processes that this one, which runs the run, is alive; until it ends.

    A process that a code server made for the run ends with the code server.
    """
    if run_id not in _held:
        while _held:  # a process has one run at a time; what it had before is over
            _, lock = _held.popitem()
            lock.release()
            _forget(Path(lock.lock_file))
        if code_server := multiprocessing.parent_process():
            end_with(code_server.pid or 0)
        lock = FileLock(_lock_file(instance, run_id))
        lock.acquire()
        _held[run_id] = lock
        files = _lock_file(instance, run_id)
        files.with_suffix(".pid").write_text(str(os.getpid()), encoding="ascii")
        # also at the end of a process that ``multiprocessing`` made, where ``atexit`` does nothing
        Finalize(None, _forget, [files], exitpriority=0)


def bury_dead_runs(
    instance: dg.DagsterInstance, settings: Settings, code_server_since: datetime | None = None
) -> int:
    """Mark runs whose process is gone as failed; returns how many.

    Give the time (aware) since which the code server lives where that is known: what another one
    had launched is dead unless its process shows.
    """
    launched = [status for status in UNFINISHED if status is not dg.DagsterRunStatus.QUEUED]
    dead = [
        record
        for record in instance.get_run_records(dg.RunsFilter(statuses=launched))
        if _is_dead(instance, settings, record, code_server_since)
    ]
    for record in dead:
        lock_file = _lock_file(instance, record.dagster_run.run_id)
        cause = _cause(lock_file) or "The process of this run was killed, or its machine stopped."
        instance.report_run_failed(
            record.dagster_run,
            f"{cause} Nothing is lost: the next run processes what it left pending.",
        )
        _forget(lock_file)
    _forget_finished_runs(instance)
    return len(dead)


def _forget_finished_runs(instance: dg.DagsterInstance) -> None:
    """Remove the files of dead processes whose end a code server has noticed; tell the cause."""
    for lock_file in (Path(instance.root_directory) / "running").glob("*.lock"):
        run = instance.get_run_by_id(lock_file.stem)
        if (run is None or run.is_finished) and _is_free(lock_file):
            if run and (cause := _cause(lock_file)):
                instance.report_engine_event(cause, run)
            _forget(lock_file)


def _cause(lock_file: Path) -> str:
    """Why `dlr up` ended the run, empty if it did not."""
    try:
        return lock_file.with_suffix(".cause").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _is_dead(
    instance: dg.DagsterInstance,
    settings: Settings,
    record: dg.RunRecord,
    code_server_since: datetime | None,
) -> bool:
    lock_file = _lock_file(instance, record.dagster_run.run_id)
    if lock_file.exists():
        return _is_free(lock_file)
    is_started = record.dagster_run.status is dg.DagsterRunStatus.STARTED
    by_code_server = not is_started or _LAUNCHED_TAG in record.dagster_run.tags
    if code_server_since and by_code_server and record.update_timestamp < code_server_since:
        return True
    age = datetime.now(UTC).timestamp() - (record.start_time or record.update_timestamp.timestamp())
    if is_started:
        return age > START.total_seconds() and not _is_locked(settings)
    return age > LAUNCH.total_seconds()


def _forget(lock_file: Path) -> None:
    """Remove the files of a run whose process ends, or has ended."""
    for suffix in (".lock", ".pid", ".cause"):
        lock_file.with_suffix(suffix).unlink(missing_ok=True)


def forget_process(instance: dg.DagsterInstance, run_id: str) -> None:
    """Remove the files of the process of a run that is over, or unknown."""
    _forget(_lock_file(instance, run_id))


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
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{run_id}.lock"
