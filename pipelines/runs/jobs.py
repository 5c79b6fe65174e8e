"""The jobs: ``refresh`` processes everything pending, ``housekeeping`` keeps storage small."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from contract.settings import load_settings
from pipelines.folder.lock import WarehouseBusyError
from pipelines.landing.compaction import compact
from pipelines.models.warehouse import warehouse_path
from pipelines.runs.history import hold_run
from pipelines.runs.pipeline_file import record_problems
from pipelines.runs.retention import sweep_history


def _record_problems(
    context: dg.HookContext,  # noqa: ARG001
    events: Sequence[dg.DagsterEvent],
) -> dg.HookExecutionResult:
    """At the end of a run: a step failed, readers have the news, or there is nothing new."""
    kinds = {event.event_type for event in events}
    published = any(event.step_key == "publish" for event in events)
    failed = dg.DagsterEventType.STEP_FAILURE in kinds
    goes_on = dg.DagsterEventType.ASSET_MATERIALIZATION in kinds and not published
    if goes_on and not failed:
        return dg.HookExecutionResult("record_problems", is_skipped=True)
    record_problems(load_settings())
    return dg.HookExecutionResult("record_problems")


refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups("landing"),
    executor_def=dg.in_process_executor,
    hooks={dg.HookDefinition(name="record_problems", hook_fn=_record_problems)},
    description="From landed files to published tables: everything pending, and nothing else.",
    # the run's own log has the events; without this, the daemon's log would have them as well
    config={"loggers": {"console": {"config": {"log_level": "WARNING"}}}},
)


@dg.op
def forget_old_runs(context: dg.OpExecutionContext) -> None:
    """Delete old run history, with what Dagster leaves behind."""
    hold_run(context.instance, context.run_id)
    context.log.info(f"Deleted {sweep_history(context.instance)} runs from the history.")  # noqa: G004


@dg.op
def compact_landed_files(context: dg.OpExecutionContext) -> None:
    """Compact the landed files of each day that is old enough into one compressed file."""
    settings = load_settings()
    if not settings.compact_after_days or not warehouse_path(settings).exists():
        return
    before = datetime.now(UTC).date() - timedelta(days=settings.compact_after_days)
    try:
        report = compact(settings, before, patience_s=1)
    except WarehouseBusyError:
        context.log.info(
            "Warehouse is locked by another process; compaction skipped until tomorrow."
        )
        return
    for line in report.log_lines():
        context.log.info(line)


@dg.job(executor_def=dg.in_process_executor)
def housekeeping() -> None:
    """Keep Dagster's own storage and the number of landed files small."""
    forget_old_runs()
    compact_landed_files()
