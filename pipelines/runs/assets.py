"""The path from landed files to published tables, as assets. Thin: the work is done elsewhere."""

from collections.abc import Iterator, Mapping
from datetime import date

import dagster as dg
import duckdb

from contract.progress import progress
from contract.settings import load_settings
from pipelines import models
from pipelines.folder.show import analytics_path, manifest_path
from pipelines.load import ledger
from pipelines.load.changes import as_markdown
from pipelines.load.load import LoadReport, load
from pipelines.load.marts import mart_models, rebuild_marts, refresh_marts
from pipelines.models import checks
from pipelines.models.computed import outdated_marts
from pipelines.models.warehouse import open_warehouse
from pipelines.publish.publish import Publication, is_current, publish
from pipelines.publish.report import chart_of
from pipelines.runs.history import hold_run

LANDED = dg.AssetKey(["landing", "yunpian"])
SENDS = dg.AssetKey(["landing", "sends"])
PARQUET = dg.AssetKey(["exports", "parquet"])
ANALYTICS = dg.AssetKey(["exports", "analytics_duckdb"])

Metadata = Mapping[str, dg.MetadataValue | str | int | bool]

landing_days = dg.DailyPartitionsDefinition("2026-01-01", end_offset=1)
"""Partitions of what is loaded: the UTC day a push landed.

Files of earlier days (old backups) are processed like all others; only to have such a day made
again, `dlr rebuild` is the way.
"""

landed_files = dg.AssetSpec(
    LANDED,
    description="Raw pushed batches as the receiver landed them: JSON Lines, never changed.",
    group_name="landing",
    kinds={"json"},
)

send_files = dg.AssetSpec(
    SENDS,
    description="The send log, if there is one: CSV, JSON Lines, Parquet (`dlr sends import`).",
    group_name="landing",
    kinds={"file"},
)


def _key(model: models.Model) -> dg.AssetKey:
    return dg.AssetKey([model.schema, model.table])


def _spec(model: models.Model, deps: list[dg.AssetKey], **more: object) -> dg.AssetSpec:
    columns = [
        dg.TableColumn(name, one.type, description=one.comment)
        for name, one in model.columns.items()
    ]
    return dg.AssetSpec(
        _key(model),
        deps=deps,
        description=f"{model.description}\n\nOne row per {model.grain}.",
        group_name=model.schema,
        kinds={"duckdb"},
        metadata={"dagster/column_schema": dg.TableSchema(columns=columns)},
        **more,  # type: ignore[arg-type]
    )


def _loaded_models() -> list[models.Model]:
    """Tables that a load fills, the books that readers get last."""
    stored = [model for model in models.load_models().values() if not model.temporary]
    filled = [model for model in stored if model.schema in ("raw", "core")]
    return [*filled, *(model for model in stored if model.schema == "ops" and model.export)]


def _deps(model: models.Model) -> list[dg.AssetKey]:
    about_sends = "sends" in model.table
    if model.schema == "ops" and model.materialized == "python":
        core = "sends" if about_sends else "sms_status"
        raw = "sends" if about_sends else "pushes"
        return [dg.AssetKey(["raw", raw]), dg.AssetKey(["core", core])]
    if model.schema == "raw":
        return [SENDS if about_sends else LANDED]
    every = models.load_models()
    return [_key(every[name]) for name in sorted(models.dependencies()[model.name])]


def _check_specs(found: list[models.Model]) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            check.name,
            asset=_key(model),
            description=check.description,
            blocking=check.severity == "fail",
        )
        for model in found
        for check in checks.checks_of(model)
    ]


def _check_results(
    con: duckdb.DuckDBPyConnection, found: list[models.Model]
) -> Iterator[dg.AssetCheckResult]:
    for model in found:
        for check in checks.checks_of(model):
            outcome = check.run(con)
            yield dg.AssetCheckResult(
                asset_key=_key(model),
                check_name=check.name,
                passed=outcome.passed,
                severity=dg.AssetCheckSeverity.ERROR
                if check.severity == "fail"
                else dg.AssetCheckSeverity.WARN,
                description=outcome.finding,
            )


def _rows(con: duckdb.DuckDBPyConnection, model: models.Model) -> int:
    query = f"select count(*) from {model.name}"
    return int(con.execute(query).fetchall()[0][0])


@dg.multi_asset(
    name="load",
    specs=[_spec(model, _deps(model), skippable=True) for model in _loaded_models()],
    check_specs=_check_specs(_loaded_models()),
    partitions_def=landing_days,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def load_assets(
    context: dg.AssetExecutionContext,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
    """Decode, deduplicate and normalise: pending files, or the landing days asked for again.

    Where there is nothing new, and readers have everything, no table is materialised, so that the
    steps after this one are skipped. What is promised of the tables is checked all the same.
    """
    hold_run(context.instance, context.run.run_id)
    settings = load_settings()
    again = context.has_partition_key or context.has_partition_key_range
    days = [date.fromisoformat(key) for key in context.partition_keys] if again else None
    with open_warehouse(settings) as con:
        report = load(con, settings, context.run.run_id, days, progress())
        idle = not (again or report.took_anything or outdated_marts(con))
        if idle and is_current(con, settings):
            context.log.info("Nothing new; readers have everything.")
            yield from _check_results(con, _loaded_models())
            return
        figures = _ledger_metadata(con, context.run.run_id)
        if again or report.changes:
            figures = {**figures, "changes": dg.MetadataValue.md(as_markdown(report.changes))}
        if not again:
            _note_partitions(context, report, figures)
        if report.recomputed:
            context.log.info(f"Computed again: {', '.join(report.recomputed)}.")  # noqa: G004
        for model in _loaded_models():
            metadata = {"dagster/row_count": _rows(con, model), **figures}
            yield dg.MaterializeResult(asset_key=_key(model), metadata=metadata)
        yield from _check_results(con, _loaded_models())
    for file, problem in report.quarantined.items():
        context.log.warning(f"Quarantined: {file} {problem}.")  # noqa: G004


def _note_partitions(
    context: dg.AssetExecutionContext, report: LoadReport, figures: Metadata
) -> None:
    """Mark the landing days that a run over pending files has brought up to date."""
    for day in sorted(report.days):
        if landing_days.has_partition_key(day.isoformat()):
            for model in _loaded_models():
                context.log_event(
                    dg.AssetMaterialization(
                        asset_key=_key(model), partition=day.isoformat(), metadata=figures
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
    specs=[_spec(model, _deps(model)) for model in mart_models()],
    check_specs=_check_specs(mart_models()),
    can_subset=True,
)
def mart_assets(
    context: dg.AssetExecutionContext,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
    """Analytics: the hours that changed; a mart that is asked for alone is computed anew."""
    hold_run(context.instance, context.run.run_id)
    chosen = [model for model in mart_models() if _key(model) in context.selected_asset_keys]
    with open_warehouse(load_settings()) as con:
        edited = refresh_marts(con, context.run.run_id)
        if edited:
            context.log.info(f"Computed for all of history: {', '.join(edited)}.")  # noqa: G004
        if len(chosen) < len(mart_models()):
            rebuild_marts(con, {model.name for model in chosen}, context.run.run_id)
        for model in chosen:
            metadata = {"dagster/row_count": _rows(con, model), **_chart(con, model)}
            yield dg.MaterializeResult(asset_key=_key(model), metadata=metadata)
        yield from _check_results(con, chosen)


def _chart(con: duckdb.DuckDBPyConnection, model: models.Model) -> Metadata:
    """Chart of the last days, for marts that have one."""
    drawn = chart_of(con, model.name)
    return {"chart": dg.MetadataValue.md(drawn)} if drawn else {}


def _exported() -> list[dg.AssetKey]:
    return [_key(model) for model in models.load_models().values() if model.export is not None]


@dg.multi_asset(
    name="publish",
    specs=[
        dg.AssetSpec(
            PARQUET,
            deps=_exported(),
            description="Parquet files for BI tools, and the manifest that names the current ones.",
            group_name="exports",
            kinds={"parquet"},
        ),
        dg.AssetSpec(
            ANALYTICS,
            deps=[PARQUET],
            description="The published database: anyone opens it read-only, at any time.",
            group_name="exports",
            kinds={"duckdb"},
        ),
    ],
)
def publish_assets(
    context: dg.AssetExecutionContext,
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Write the parts that changed; replace analytics.duckdb and the manifest, by rename."""
    hold_run(context.instance, context.run.run_id)
    settings = load_settings()
    with open_warehouse(settings) as con:
        done = publish(con, settings)
    context.log.info(_in_words(done))
    figures: dict[str, dg.MetadataValue | str | int | bool] = {
        "published": done.published,
        "files_written": done.written,
        "rows_written": done.rows,
        "bytes_written": done.bytes,
        "fingerprint": done.fingerprint,
    }
    yield dg.MaterializeResult(
        asset_key=PARQUET,
        metadata=figures | {"manifest": dg.MetadataValue.path(manifest_path(settings))},
    )
    yield dg.MaterializeResult(
        asset_key=ANALYTICS,
        metadata=figures | {"path": dg.MetadataValue.path(analytics_path(settings))},
    )


def _in_words(done: Publication) -> str:
    if not done.published:
        return done.report_problem or "Nothing new; readers have everything."
    return f"Published {done.written} files, {done.rows} rows, {done.bytes} bytes."
