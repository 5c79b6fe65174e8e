"""When the job runs: soon after files land, and every hour whatever happened."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from contract.settings import load_settings
from pipelines.folder.format import is_outdated
from pipelines.folder.lock import WarehouseBusyError
from pipelines.landing.closed_partitions import take_inventory
from pipelines.landing.compaction import compact
from pipelines.landing.inventory import list_landed
from pipelines.models.computed import outdated
from pipelines.models.warehouse import open_warehouse, warehouse_path
from pipelines.publish.publish import can_publish
from pipelines.runs.history import UNFINISHED, bury_dead_runs, sweep_history
from pipelines.sends.files import list_sends, pending_sends

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups("landing"),
    executor_def=dg.in_process_executor,
    description="Landed files to published tables: everything that is pending, and nothing else.",
    # the events are in the run's own log; without this each of them is in the daemon's, too
    config={"loggers": {"console": {"config": {"log_level": "WARNING"}}}},
)


def reason_to_run() -> str | None:
    """What a run would find to do, in words; raises WarehouseBusyError while one is on."""
    settings = load_settings()
    if not warehouse_path(settings).exists():
        files = len(list_landed(settings.landing)) + len(list_sends(settings.sends))
        return f"{files} landed files" if files else None
    if is_outdated(settings):
        return "a data folder of an earlier version"
    with open_warehouse(settings, read_only=True, patience_s=0) as con:
        files = len(take_inventory(con, settings.landing).pending)
        if files:
            return f"{files} landed files"
        sends = len(pending_sends(con, settings))
        if sends:
            return f"{sends} files of the send log"
        tables = len(outdated(con))
        if tables:
            return f"{tables} tables whose SQL, settings or reference data changed"
        return "unpublished changes" if can_publish(con, settings) else None


@dg.sensor(
    job=refresh,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks whether any landed file is unprocessed, and if so starts a refresh.",
)
def landed_files_sensor(
    context: dg.SensorEvaluationContext,
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Start at most one refresh; what a failed run left is pending still, so it is asked again."""
    bury_dead_runs(context.instance, load_settings())
    unfinished = dg.RunsFilter(job_name=refresh.name, statuses=UNFINISHED)
    if context.instance.get_run_records(unfinished, limit=1):
        yield dg.SkipReason("A refresh is on its way.")
        return
    try:
        reason = reason_to_run()
    except WarehouseBusyError:
        yield dg.SkipReason("Somebody is working on the warehouse.")
        return
    if reason:
        yield dg.RunRequest(tags={"dlr/reason": reason})
    else:
        yield dg.SkipReason("No landed file is unprocessed.")


hourly_refresh = dg.ScheduleDefinition(
    name="hourly_refresh",
    job=refresh,
    cron_schedule="7 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="A refresh every hour, should the sensor be off or have missed something.",
)


@dg.op
def forget_old_runs(context: dg.OpExecutionContext) -> None:
    """Delete run history that nobody will look at, with the files Dagster leaves behind."""
    context.log.info(f"Forgot {sweep_history(context.instance)} runs.")  # noqa: G004


@dg.op
def compact_landed_files(context: dg.OpExecutionContext) -> None:
    """Put the landed files of each day that is old enough together, compressed."""
    settings = load_settings()
    if not settings.compact_after_days or not warehouse_path(settings).exists():
        return
    before = datetime.now(UTC).date() - timedelta(days=settings.compact_after_days)
    try:
        done = compact(settings, before, patience_s=1)
    except WarehouseBusyError:
        context.log.info("Somebody is working on the warehouse; tomorrow is a day, too.")
        return
    context.log.info(
        f"Compacted {done.files} files of {done.days} days: {done.bytes_before} bytes became "  # noqa: G004
        f"{done.bytes_after}."
    )
    for name in done.differing:
        context.log.warning(f"{name}: its bytes are not those that were taken in.")  # noqa: G004


@dg.job(executor_def=dg.in_process_executor)
def housekeeping() -> None:
    """Keep Dagster's own storage, and the number of landed files, small."""
    forget_old_runs()
    compact_landed_files()


daily_housekeeping = dg.ScheduleDefinition(
    name="daily_housekeeping",
    job=housekeeping,
    cron_schedule="37 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
