"""Data folders of earlier formats, unpacked from tests/fixtures."""

import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest

from contract.settings import Settings
from pipelines.runs.instance import dagster_instance
from tests.command import ROOT, dlr
from tests.data_folder import settings_of, warehouse


def archive_of(version: int) -> Path:
    """The archive of a data folder of this format."""
    return ROOT / "tests" / "fixtures" / f"folder-{version}.tar.xz"


def unpack(version: int, folder: Path) -> Settings:
    """The folder, as if this version had made it in this place."""
    with tarfile.open(archive_of(version)) as archive:
        archive.extractall(folder, filter="data")
    settings = settings_of(folder / "data")
    if version > 1:
        _set_times(settings)
        _point_views_here(settings)
    return settings


def unpack_and_run(version: int, folder: Path) -> Settings:
    """The folder after a run of today's version."""
    settings = unpack(version, folder)
    run = dlr(settings.data, "run")
    assert run.returncode == 0, run.stderr
    return settings


def _set_times(settings: Settings) -> None:
    """Times of change to the nanosecond, which the archive does not keep, from the books."""
    for table, place in (("ops.files", settings.landing), ("ops.send_files", settings.sends)):
        for name, at in warehouse(settings, f"select file, changed_ns from {table}"):
            os.utime(place / name, ns=(at, at))


def _point_views_here(settings: Settings) -> None:
    """The published views name their files by absolute paths."""
    stored = (settings.data / "dagster" / "dagster.yaml").read_text()
    old = stored.partition('base_dir: "')[2].partition("/dagster/")[0]
    database, manifest = settings.data / "analytics.duckdb", settings.data / "exports/manifest.json"
    with duckdb.connect(database) as con:
        views = con.execute(
            "select schema_name || '.' || view_name, sql, comment from duckdb_views() "
            "where not internal"
        ).fetchall()
        columns = con.execute(
            "select schema_name || '.' || table_name || '.\"' || column_name || '\"', comment "
            "from duckdb_columns() where not internal"
        ).fetchall()
        for name, sql, comment in views:
            assert old in sql or "read_parquet" not in sql
            con.execute(f"drop view {name}")
            con.execute(sql.replace(old, str(settings.data)))
            con.execute(f"comment on view {name} is {_literal(comment)}")
        for name, comment in columns:
            con.execute(f"comment on column {name} is {_literal(comment)}")
    known = json.loads(manifest.read_text())
    content = database.read_bytes()
    known["database"] |= {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    manifest.write_text(json.dumps(known, indent=1))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def dagster_of(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The Dagster instance that the folder keeps."""
    for name in ("DAGSTER_HOME", "DLR_DATA", "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.delenv(name, raising=False)
    with dagster_instance(settings) as instance:
        yield instance
