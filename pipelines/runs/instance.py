"""The job run in this process, on the Dagster instance of a data folder."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import dagster as dg
from filelock import FileLock
from sqlalchemy.exc import OperationalError

from contract.errors import UserError
from contract.settings import Settings
from pipelines.runs.graph import definitions
from pipelines.runs.history import bury_dead_runs
from pipelines.runs.home import InstanceError, prepare_instance
from pipelines.runs.retention import sweep_if_due


class RunError(UserError):
    """The job failed; the message names the first cause."""


@contextmanager
def dagster_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open the instance, the same one that the schedule uses."""
    home = prepare_instance(settings)
    warnings.filterwarnings("ignore", module="dagster")
    # Dagster creates its tables at first use; two processes doing so at once would collide
    with FileLock(home / "tables.lock"):
        instance = dg.DagsterInstance.get()
        instance.get_runs_count()
        instance.all_asset_keys()
        instance.all_instigator_state()
    with instance:
        yield instance


def refresh(settings: Settings) -> str:
    """Run the job `refresh` in this process, recorded like any other run; returns its id.

    Raises RunError where a step or a blocking check failed, InstanceError where Dagster cannot
    write its history.
    """
    with _writable_history(settings), dagster_instance(settings) as instance:
        result = _execute(instance, settings)
        sweep_if_due(instance)
    if not result.success:
        raise RunError(_cause(result))
    return str(result.run_id)


@contextmanager
def _writable_history(settings: Settings) -> Iterator[None]:
    """Turn what SQLite says into an InstanceError."""
    try:
        yield
    except OperationalError as error:
        raise InstanceError(
            f"Cannot write Dagster's history in {settings.data.absolute() / 'dagster'}: "
            f"{error.orig}. Is the disk full? Loaded data is kept; fix this and run again."
        ) from error


def _execute(instance: dg.DagsterInstance, settings: Settings) -> dg.ExecuteInProcessResult:
    bury_dead_runs(instance, settings)
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    job = definitions().resolve_job_def("refresh")
    return job.execute_in_process(
        instance=instance,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )


def _cause(result: dg.ExecuteInProcessResult) -> str:
    problems = [
        str(check.description or check.check_name)
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.blocking
    ]
    if problems:
        return f"Nothing was published because a check failed: {'; '.join(problems)}"
    for event in result.all_events:
        error = event.step_failure_data.error if event.is_step_failure else None
        while error is not None:
            if error.cause is None or error.cls_name in UserError.names():
                return f"The run failed: {error.message.strip().partition(': ')[2]}"
            error = error.cause
    return "The run failed; its log is in the Dagster UI (`dlr up`)."


def newest_runs(
    settings: Settings, limit: int = 20
) -> list[tuple[str, str, datetime | None, datetime | None]]:
    """Id, status, start and end of the newest runs of the job, the newest first.

    Raises InstanceError where Dagster cannot open its history.
    """
    with _writable_history(settings), dagster_instance(settings) as instance:
        records = instance.get_run_records(dg.RunsFilter(job_name="refresh"), limit=limit)
    return [
        (
            record.dagster_run.run_id,
            record.dagster_run.status.value,
            _time(record.start_time),
            _time(record.end_time),
        )
        for record in records
    ]


def _time(timestamp: float | None) -> datetime | None:
    return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC)
