"""How a model of ``warehouse/`` appears in Dagster: key, columns, checks, rows."""

import re
from collections.abc import Iterable, Iterator, Mapping

import dagster as dg
import duckdb

from pipelines import models
from pipelines.models import checks
from pipelines.runs.pipeline_file import note_check

Metadata = Mapping[str, dg.MetadataValue | str | int | bool]


def asset_key(model: models.Model) -> dg.AssetKey:
    """Schema and table."""
    return dg.AssetKey([model.schema, model.table])


def asset_spec(model: models.Model, *, skippable: bool = False) -> dg.AssetSpec:
    """The asset of a stored table, described by the header of its file.

    It depends on what the table is computed from: tables, and sources such as ``landing/yunpian``.
    """
    columns = [
        dg.TableColumn(name, column.type, description=column.comment)
        for name, column in model.columns.items()
    ]
    return dg.AssetSpec(
        asset_key(model),
        deps=[
            dg.AssetKey(re.split("[./]", name))
            for name in sorted(models.dependencies()[model.name])
        ],
        description=f"{model.description}\n\nOne row per {model.grain}.",
        group_name=model.schema,
        kinds={"duckdb"},
        metadata={"dagster/column_schema": dg.TableSchema(columns=columns)},
        skippable=skippable,
    )


def check_specs(tables: Iterable[models.Model]) -> list[dg.AssetCheckSpec]:
    """The checks in the headers of these tables."""
    return [
        dg.AssetCheckSpec(
            check.name,
            asset=asset_key(model),
            description=check.description,
            blocking=check.severity == "fail",
        )
        for model in tables
        for check in checks.checks_of(model)
    ]


def check_results(
    con: duckdb.DuckDBPyConnection, tables: Iterable[models.Model]
) -> Iterator[dg.AssetCheckResult]:
    """Run the checks of these tables."""
    severities = {"fail": dg.AssetCheckSeverity.ERROR, "warn": dg.AssetCheckSeverity.WARN}
    for model in tables:
        for check in checks.checks_of(model):
            finding = checks.finding_of(con, check)
            if check.severity == "fail":
                note_check(f"{check.name} of {model.name}", passed=finding is None)
            yield dg.AssetCheckResult(
                asset_key=asset_key(model),
                check_name=check.name,
                passed=finding is None,
                severity=severities[check.severity],
                description=finding,
            )


def materialized(
    con: duckdb.DuckDBPyConnection, model: models.Model, metadata: Metadata
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Tell Dagster that a table was computed, and how many rows it has."""
    [(rows,)] = con.execute(f"select count(*) from {model.name}").fetchall()
    return dg.MaterializeResult(
        asset_key=asset_key(model), metadata={"dagster/row_count": int(rows), **metadata}
    )
