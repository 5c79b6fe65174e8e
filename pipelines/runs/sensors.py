"""The sensor that starts a refresh soon after files land."""

from collections.abc import Iterator

import dagster as dg
import duckdb

from contract.settings import Settings, load_settings
from pipelines.folder.format import is_outdated
from pipelines.folder.lock import WarehouseBusyError
from pipelines.landing.closed_partitions import take_inventory
from pipelines.landing.inventory import list_landed
from pipelines.models.computed import outdated
from pipelines.models.warehouse import open_warehouse, warehouse_path
from pipelines.publish.publish import can_publish
from pipelines.runs.history import UNFINISHED, bury_dead_runs
from pipelines.runs.jobs import refresh
from pipelines.runs.pipeline_file import record_problems
from pipelines.runs.retention import sweep_if_due
from pipelines.sends.files import list_sends, pending_sends


def reason_to_run() -> str | None:
    """What a run would have to do, in words; raises WarehouseBusyError while one is running."""
    settings = load_settings()
    if not warehouse_path(settings).exists():
        files = len(list_landed(settings.landing)) + len(list_sends(settings.sends))
        return f"{files} landed files" if files else None
    if is_outdated(settings):
        return "a data folder of an earlier version"
    with open_warehouse(settings, read_only=True, patience_s=0) as con:
        for count, what in _work(con, settings):
            if count:
                return f"{count} {what}"
        return "unpublished changes" if can_publish(con, settings) else None


def _work(con: duckdb.DuckDBPyConnection, settings: Settings) -> Iterator[tuple[int, str]]:
    """Counts of what a run would process; each is counted only when asked for."""
    yield len(take_inventory(con, settings.landing).pending), "landed files"
    yield len(pending_sends(con, settings)), "files of the send log"
    yield len(outdated(con)), "tables whose SQL, settings or reference data changed"


@dg.sensor(
    job=refresh,
    minimum_interval_seconds=45,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts a refresh when landed files are unprocessed or changes are unpublished.",
)
def landed_files_sensor(
    context: dg.SensorEvaluationContext,
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Start at most one refresh; files that a failed run left pending are tried again."""
    bury_dead_runs(context.instance, load_settings())
    sweep_if_due(context.instance)
    _record(context)
    unfinished = dg.RunsFilter(job_name=refresh.name, statuses=UNFINISHED)
    if context.instance.get_run_records(unfinished, limit=1):
        yield dg.SkipReason("A refresh is already queued or running.")
        return
    try:
        reason = reason_to_run()
    except WarehouseBusyError:
        yield dg.SkipReason("Warehouse is locked by another process.")
        return
    if reason:
        yield dg.RunRequest(tags={"dlr/reason": reason})
    else:
        yield dg.SkipReason("Nothing to do: every landed file is processed and published.")


def _record(context: dg.SensorEvaluationContext) -> None:
    """Write what is known now; a disk that is full must not keep the sensor from looking."""
    settings = load_settings()
    if is_outdated(settings):
        return  # the run that is about to start brings it up to date
    try:
        record_problems(settings, before_run=True)
    except OSError as error:
        context.log.warning(f"Cannot write pipeline.json: {error.strerror}.")  # noqa: G004
