"""Tables to Parquet: only the parts that changed, written under new names.

    $DLR_DATA/exports/
      sms_status/event_date=2026-11-23/20261123T1004-<unique>.parquet   first received from 10:04 on
      delivery_hourly/2026-11-23-<unique>.parquet                       a day
      delivery_daily/all-<unique>.parquet                               a table that is one file

A file is never changed once it is there. Which files are current, only the manifest says.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path

import duckdb

from ingest.settings import Settings
from pipelines import models
from pipelines.export_parts import Part
from pipelines.files import sync
from pipelines.pieces import RowsByMinute


def current_parts(con: duckdb.DuckDBPyConnection) -> list[Part]:
    """The files that were published last."""
    rows = con.execute(
        "select table_name, part_day, from_minute_utc, until_minute_utc, path, rows, bytes, sha256 "
        "from ops.export_parts"
    ).fetchall()
    return [Part(*row) for row in rows]


def stale_parts(con: duckdb.DuckDBPyConnection) -> list[Part]:
    """What is behind the warehouse: files, days, and minutes of days that lie in pieces."""
    rows = con.execute(
        "select table_name, part_day, from_minute_utc from ops.stale_parts order by all"
    ).fetchall()
    return [Part(*row) for row in rows]


def every_part(con: duckdb.DuckDBPyConnection) -> list[Part]:
    """All parts there must be, for a publication from nothing."""
    parts = []
    for model in models.load_models().values():
        if model.export is None:
            continue
        found = con.execute(f"select distinct {model.export.part} from {model.name}").fetchall()
        parts += [Part(model.name, day, minute) for day, minute in found]
        if model.export.layout == "file" and not found:
            parts.append(Part(model.name))
    return parts


def rows_by_minute(con: duckdb.DuckDBPyConnection, stretch: Part) -> RowsByMinute:
    """Count the rows of a stretch of a day by their minute of reception."""
    export = stretch.model.export
    clock = export.columns[1] if export else ""
    return dict(
        con.execute(
            f"select date_trunc('minute', {clock}), count(*) from {stretch.table_name} "
            f"where {stretch.condition()} group by all"
        ).fetchall()
    )


def write_parts(
    con: duckdb.DuckDBPyConnection, settings: Settings, parts: list[Part]
) -> list[Part]:
    """Write each part under a new name, on disk when this returns; empty parts vanish."""
    root = exports_folder(settings)
    set_privacy(con, settings)
    written = []
    for part in parts:
        path = part.new_path()
        (root / path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        rows = _copy(con, part, root / path)
        if rows or part.part_day is None:
            written.append(replace(part, path=path, rows=rows))
        else:
            (root / path).unlink()
    with ThreadPoolExecutor(max_workers=2) as pool:
        sealed = list(pool.map(lambda part: _seal(root, part), written))
    for folder in {(root / part.path).parent for part in sealed}:
        sync(folder)
        sync(folder.parent)
    return sealed


def _copy(con: duckdb.DuckDBPyConnection, part: Part, path: Path) -> int:
    model = part.model
    con.execute(
        f"""
        copy (
            select {exported_columns(model)}
            from {model.name}
            where {part.condition()}
        ) to {models.literal(str(path))} (
            format parquet, compression zstd, compression_level 1, dictionary_size_limit 1000,
            row_group_size 61440,
            kv_metadata {{schema_version: {models.literal(models.schema_version())}}}
        )
        """
    )
    return int(con.fetchall()[0][0])


def exported_columns(model: models.Model) -> str:
    """The model's columns as they are written: types pinned, mobiles by the setting."""
    country = "country_code" if "country_code" in model.columns else "null"
    own = f"coalesce({', '.join([*reversed(model.private), 'null'])})"
    written = []
    for name, column in model.columns.items():
        value = f'"{name}"'
        if name in model.private:
            value = f"exported_mobile({value}, {country})"
        elif name in model.free_text:
            value = f"exported_text({value}, {own})"
        elif name in model.fragments:
            value = f"exported_fragment({value})"
        written.append(f'{value}::{column.type} as "{name}"')
    return ", ".join(written)


def _seal(root: Path, part: Part) -> Part:
    path = root / part.path
    path.chmod(0o600)
    sync(path)
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return replace(part, bytes=path.stat().st_size, sha256=digest)


def exports_folder(settings: Settings) -> Path:
    """Where the Parquet files and the manifest lie."""
    return settings.data.absolute() / "exports"


def set_privacy(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Tell this connection how mobiles are to be written."""
    secret = settings.export_mobile_key
    key = secret.get_secret_value().encode() if secret else b""
    block = key.ljust(64, b"\0")
    for name, pad in {"inner_pad": 0x36, "outer_pad": 0x5C}.items():
        mixed = bytes(byte ^ pad for byte in block).hex()
        con.execute(f"set variable {name} = unhex('{mixed}')")
    con.execute(f"set variable export_mobile = {models.literal(settings.export_mobile)}")
