"""The assets, from landed files to published tables. Thin: other rooms do the work."""

from collections.abc import Iterator
from datetime import date

import dagster as dg
import duckdb

from contract.progress import progress
from contract.settings import load_settings
from pipelines import models
from pipelines.folder.show import analytics_path, manifest_path
from pipelines.landing.compaction import compact_gradually
from pipelines.load import ledger
from pipelines.load.changes import as_markdown
from pipelines.load.load import LoadReport, load
from pipelines.load.marts import mart_models, rebuild_marts, refresh_marts
from pipelines.models.computed import outdated_marts
from pipelines.models.warehouse import open_warehouse
from pipelines.publish.data_files import exported_models
from pipelines.publish.publish import Publication, is_current, publish
from pipelines.publish.report.charts import chart_of
from pipelines.runs.history import hold_run
from pipelines.runs.model_assets import (
    Metadata,
    asset_key,
    asset_spec,
    check_results,
    check_specs,
    materialized,
)

LANDED = dg.AssetKey(["landing", "yunpian"])
SENDS = dg.AssetKey(["landing", "sends"])
PARQUET = dg.AssetKey(["exports", "parquet"])
ANALYTICS = dg.AssetKey(["exports", "analytics_duckdb"])

landing_days = dg.DailyPartitionsDefinition("2026-01-01", end_offset=1)
"""The UTC day on which a push landed.

Files of earlier days (old backups) are processed like all others; `dlr rebuild` is the only way to
process such a day again.
"""

landed_files = dg.AssetSpec(
    LANDED,
    description="Pushes as the receiver landed them: JSON Lines files that never change.",
    group_name="landing",
    kinds={"json"},
)

send_files = dg.AssetSpec(
    SENDS,
    description="The send log, if there is one: CSV, JSON Lines or Parquet (`dlr sends import`).",
    group_name="landing",
    kinds={"file"},
)


def _loaded_models() -> list[models.Model]:
    """Tables that a load fills; the published ledger comes last."""
    stored = [model for model in models.load_models().values() if not model.temporary]
    filled = [model for model in stored if model.schema in ("raw", "core")]
    return [*filled, *(model for model in stored if model.schema == "ops" and model.export)]


@dg.multi_asset(
    name="load",
    specs=[asset_spec(model, skippable=True) for model in _loaded_models()],
    check_specs=check_specs(_loaded_models()),
    partitions_def=landing_days,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def load_assets(
    context: dg.AssetExecutionContext,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
    """Decode, deduplicate and normalise pending files, or the selected landing days again.

    Where nothing is new and readers have everything, no table is materialised, so that the later
    steps are skipped. The checks run all the same.
    """
    hold_run(context.instance, context.run.run_id)
    settings = load_settings()
    again = context.has_partition_key or context.has_partition_key_range
    days = [date.fromisoformat(key) for key in context.partition_keys] if again else None
    with open_warehouse(settings) as con:
        report = load(con, settings, context.run.run_id, days, progress())
        for line in compact_gradually(con, settings, report.listing).log_lines():
            context.log.info(line)
        idle = not (again or report.took_anything or outdated_marts(con))
        if idle and is_current(con, settings):
            context.log.info("Nothing new; readers have everything.")
            yield from check_results(con, _loaded_models())
            return
        figures = _ledger_metadata(con, context.run.run_id)
        if again or report.changes:
            figures = {**figures, "changes": dg.MetadataValue.md(as_markdown(report.changes))}
        if not again:
            _mark_partitions(context, report, figures)
        if report.recomputed:
            context.log.info(f"Recomputed: {', '.join(report.recomputed)}.")  # noqa: G004
        for model in _loaded_models():
            yield materialized(con, model, figures)
        yield from check_results(con, _loaded_models())
    for file, problem in report.quarantined.items():
        context.log.warning(f"Quarantined: {file} {problem}.")  # noqa: G004


def _mark_partitions(
    context: dg.AssetExecutionContext, report: LoadReport, figures: Metadata
) -> None:
    """Mark the landing days that a run over pending files brought up to date."""
    for day in sorted(report.days):
        if landing_days.has_partition_key(day.isoformat()):
            for model in _loaded_models():
                context.log_event(
                    dg.AssetMaterialization(
                        asset_key=asset_key(model), partition=day.isoformat(), metadata=figures
                    )
                )


def _ledger_metadata(con: duckdb.DuckDBPyConnection, run_id: str) -> Metadata:
    last = ledger.latest(con)
    if last is None:
        return {}
    gained = ("files", "pushes", "records", "messages", "duplicates", "conflicts", "rejected")
    this_run = last["run_id"] == run_id
    return {
        **{f"run_{name}": int(str(last[name])) if this_run else 0 for name in gained},
        "balanced": bool(last["balanced"]),
        "law": ledger.describe(last),
        "fingerprint": str(last["fingerprint"]),
        "reference_version": str(last["reference_version"]),
    }


@dg.multi_asset(
    name="marts",
    specs=[asset_spec(model) for model in mart_models()],
    check_specs=check_specs(mart_models()),
    can_subset=True,
)
def mart_assets(
    context: dg.AssetExecutionContext,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
    """Recompute the hours that changed; a mart selected by itself is recomputed as a whole."""
    hold_run(context.instance, context.run.run_id)
    selected = [model for model in mart_models() if asset_key(model) in context.selected_asset_keys]
    with open_warehouse(load_settings()) as con:
        edited = refresh_marts(con, context.run.run_id)
        if edited:
            context.log.info(f"Recomputed for all of history: {', '.join(edited)}.")  # noqa: G004
        if len(selected) < len(mart_models()):
            rebuild_marts(con, {model.name for model in selected}, context.run.run_id)
        for model in selected:
            picture = chart_of(con, model.name)
            yield materialized(
                con, model, {"chart": dg.MetadataValue.md(picture)} if picture else {}
            )
        yield from check_results(con, selected)


parquet_files = dg.AssetSpec(
    PARQUET,
    deps=[asset_key(model) for model in exported_models().values()],
    description="Parquet files for BI tools, and the manifest that names the current ones.",
    group_name="exports",
    kinds={"parquet"},
)
published_database = dg.AssetSpec(
    ANALYTICS,
    deps=[PARQUET],
    description="The published database: can be opened read-only at any time.",
    group_name="exports",
    kinds={"duckdb"},
)


@dg.multi_asset(name="publish", specs=[parquet_files, published_database])
def publish_assets(
    context: dg.AssetExecutionContext,
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Write the data files that changed; replace analytics.duckdb and the manifest by rename."""
    hold_run(context.instance, context.run.run_id)
    settings = load_settings()
    with open_warehouse(settings) as con:
        publication = publish(con, settings)
    context.log.info(_describe(publication))
    figures: dict[str, dg.MetadataValue | str | int | bool] = {
        "published": publication.published,
        "files_written": publication.written,
        "rows_written": publication.rows,
        "bytes_written": publication.bytes,
        "fingerprint": publication.fingerprint,
    }
    yield dg.MaterializeResult(
        asset_key=PARQUET,
        metadata=figures | {"manifest": dg.MetadataValue.path(manifest_path(settings))},
    )
    yield dg.MaterializeResult(
        asset_key=ANALYTICS,
        metadata=figures | {"path": dg.MetadataValue.path(analytics_path(settings))},
    )


def _describe(publication: Publication) -> str:
    if not publication.published:
        return publication.report_problem or "Nothing new; readers have everything."
    return (
        f"Published {publication.written} files, {publication.rows} rows, "
        f"{publication.bytes} bytes."
    )
