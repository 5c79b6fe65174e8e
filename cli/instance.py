"""The Dagster instance of a data folder: where it lies, and the job run in this process."""

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from contract.errors import UserError
from contract.settings import Settings

if TYPE_CHECKING:
    import dagster as dg


class CommandError(UserError):
    """A command cannot go on; the message is a sentence for the user."""


def private_files() -> None:
    """Make every file of this process readable by its owner only."""
    os.umask(0o077)


def published_database(settings: Settings) -> Path:
    """What readers open, complete even where the process that published it was killed.

    Raises CommandError where nothing is published yet.
    """
    from pipelines.folder.lock import complete_publication
    from pipelines.folder.show import analytics_path

    complete_publication(settings)
    path = analytics_path(settings)
    if not path.exists():
        raise CommandError(f"Nothing is published yet: there is no {path}. `dlr run` makes it.")
    return path


def prepare_instance(settings: Settings) -> Path:
    """Make ``$DLR_DATA/dagster`` the home of Dagster, for this process and its children."""
    home = settings.data.absolute() / "dagster"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = _instance_file().read_text(encoding="utf-8")
    in_quotes = json.dumps(str(home))[1:-1]
    (home / "dagster.yaml").write_text(config.replace("$DAGSTER_HOME", in_quotes), encoding="utf-8")
    os.environ |= {
        "DLR_DATA": str(settings.data.absolute()),
        "DAGSTER_HOME": str(home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    return home


def _instance_file() -> Path:
    """``dagster.yaml``: at the root of a checkout, beside the package when installed."""
    root = Path(__file__).resolve().parent.parent
    for path in (root / "dagster.yaml", root / "pipelines" / "dagster.yaml"):
        if path.exists():
            return path
    raise CommandError(f"dagster.yaml is missing from {root}; install dlr again.")


@contextmanager
def dagster_instance(settings: Settings) -> Iterator["dg.DagsterInstance"]:
    """The instance that the schedule uses, too."""
    home = prepare_instance(settings)
    warnings.filterwarnings("ignore", module="dagster")
    import dagster as dg
    from filelock import FileLock

    # Dagster makes its tables at first use, and two at once would stumble over each other
    with FileLock(home / "tables.lock"):
        instance = dg.DagsterInstance.get()
        instance.get_runs_count()
        instance.all_asset_keys()
        instance.all_instigator_state()
    with instance:
        yield instance


def refresh(settings: Settings) -> str:
    """Run the job `refresh` in this process, recorded as any other run; returns its id.

    Raises CommandError with the first cause where a step or a blocking check failed, or where
    Dagster cannot write its history.
    """
    from sqlalchemy.exc import OperationalError

    try:
        with dagster_instance(settings) as instance:
            result = _execute(instance, settings)
    except OperationalError as error:
        raise CommandError(
            f"Dagster's history in {settings.data.absolute() / 'dagster'} cannot be written: "
            f"{error.orig}. Is the disk full? What was loaded stays; run again when this is mended."
        ) from error
    if not result.success:
        raise CommandError(_cause(result))
    return str(result.run_id)


def _execute(instance: "dg.DagsterInstance", settings: Settings) -> "dg.ExecuteInProcessResult":
    from pipelines.definitions import defs
    from pipelines.runs.history import bury_dead_runs

    bury_dead_runs(instance, settings)
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    return (
        defs()
        .resolve_job_def("refresh")
        .execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    )


def _cause(result: "dg.ExecuteInProcessResult") -> str:
    checks = [
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.blocking
    ]
    if checks:
        found = "; ".join(str(check.description or check.check_name) for check in checks)
        return f"Nothing was published, for a check failed: {found}"
    for event in result.all_events:
        error = event.step_failure_data.error if event.is_step_failure else None
        while error is not None:
            if error.cause is None or error.cls_name in UserError.names():
                return f"The run failed: {error.message.strip().partition(': ')[2]}"
            error = error.cause
    return "The run failed; its log is in the Dagster UI (dlr up)."
