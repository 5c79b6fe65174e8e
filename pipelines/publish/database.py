"""``analytics.duckdb``: views over exactly the published files, with comments, and functions.

Small, and made anew by every publication: nothing is copied, and a reader that has the old one open
keeps it, with the files it names.
"""

from collections import defaultdict
from collections.abc import Iterable

import duckdb

from contract.settings import Settings
from pipelines import models
from pipelines.folder.files import sync
from pipelines.folder.show import exports_folder, prepared_database
from pipelines.models.warehouse import transaction
from pipelines.publish.data_files import DataFile, exported_models

STORAGE_VERSION = "v1.2.0"
"""Oldest DuckDB version that can open the published file."""


def prepare_database(settings: Settings, files: Iterable[DataFile]) -> None:
    """Write the next database under its hidden name; on disk when this returns."""
    target = prepared_database(settings)
    paths: dict[str, list[str]] = defaultdict(list)
    for file in files:
        paths[file.table_name].append(str(exports_folder(settings) / file.path))
    with duckdb.connect() as builder:
        builder.execute(
            f"attach {models.literal(str(target))} as published "
            f"(storage_version {models.literal(STORAGE_VERSION)})"
        )
        builder.execute("use published")
        with transaction(builder):
            for model in exported_models().values():
                _create_view(builder, model, paths[model.name])
            models.publish_functions(builder)
        builder.execute("use memory")
        builder.execute("detach published")
    target.chmod(0o600)
    sync(target)


def _create_view(con: duckdb.DuckDBPyConnection, model: models.Model, paths: list[str]) -> None:
    con.execute(f"create schema if not exists {model.schema}")
    con.execute(f"create view {model.name} as {_query(model, paths)}")
    models.comment(con, "view", model)


def _query(model: models.Model, paths: list[str]) -> str:
    names = ", ".join(f'"{name}"' for name in model.columns)
    if paths:
        files = ", ".join(models.literal(path) for path in paths)
        return f"select {names} from read_parquet([{files}], hive_partitioning = false)"
    nulls = ", ".join(f'null::{column.type} as "{name}"' for name, column in model.columns.items())
    return f"select {nulls} where false"
