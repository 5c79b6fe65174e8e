"""What `dlr up` runs at its start and after an accident: clear what dead processes left, go on.

``python -m pipelines.runs.recover SECONDS``, the Unix time since which the code server lives. The
first line it prints is ``ready``: Dagster's tables exist, and others may open them.
"""

import os
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from contract.errors import UserError
from contract.settings import Settings, load_settings
from pipelines.folder.format import FORMAT, is_outdated
from pipelines.folder.lock import WarehouseBusyError
from pipelines.runs.history import UNFINISHED, bury_dead_runs
from pipelines.runs.instance import dagster_instance, refresh
from pipelines.runs.sensors import reason_to_run


def recover(settings: Settings, code_server_since: datetime) -> Iterator[str]:
    """Mark dead runs as failed, and process what is pending unless a run will; say what was done.

    A run that was being launched when the code server started is dead. Raises UserError where the
    run fails.
    """
    with dagster_instance(settings) as instance:
        yield "ready"
        dead = bury_dead_runs(instance, settings, code_server_since)
        if dead:
            yield f"Marked {dead} run{'s' * (dead > 1)} as failed whose process was killed."
        unfinished = dg.RunsFilter(job_name="refresh", statuses=UNFINISHED)
        if instance.get_run_records(unfinished, limit=1):
            return
    try:
        reason = reason_to_run()
    except WarehouseBusyError:
        return
    if reason:
        outdated = is_outdated(settings)
        if outdated:
            yield "The data folder is of an earlier version; upgrading it."
        refresh(settings)
        if outdated:
            yield f"The data folder was upgraded to format {FORMAT}."


def main() -> int:
    """Recover the data folder of the environment; return the exit status.

    What is wrong with the program itself goes to Dagster's log.
    """
    since = datetime.fromtimestamp(float(sys.argv[1]), UTC)
    settings = load_settings()
    log = settings.data.absolute() / "dagster" / "dagster.log"
    with log.open("ab") as errors:
        os.dup2(errors.fileno(), sys.stderr.fileno())
    try:
        for line in recover(settings, since):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    except UserError as error:
        sys.stdout.write(f"{error}\n")
    except Exception as error:  # noqa: BLE001 - whatever it is, it must be said in a line
        sys.stdout.write(f"Recovery failed ({type(error).__name__}); see {log}.\n")
        traceback.print_exc()
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
