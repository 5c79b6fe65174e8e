"""Tables to Parquet: only the parts that changed, written under new names.

A part changed where its rows did, and where its table is to be written in another form.

    $DLR_DATA/exports/
      sms_status/event_date=2026-11-23/20261123T1004-<unique>.parquet   first received from 10:04 on
      delivery_hourly/2026-11-23-<unique>.parquet                       a day
      delivery_daily/all-<unique>.parquet                               a table that is one file

A file is never changed once it is there. Which files are current, only the manifest says.
"""

import hmac
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import duckdb

from contract.settings import Settings
from pipelines import models
from pipelines.folder.files import sha256_of, sync
from pipelines.folder.show import exports_folder
from pipelines.models.digests import meaning_of
from pipelines.publish.compaction_plan import RowsByMinute
from pipelines.publish.data_file import Part

_PARQUET = (
    "format parquet, compression zstd, compression_level 1, dictionary_size_limit 1000, "
    "row_group_size 61440"
)


def exported_models() -> dict[str, models.Model]:
    """The tables readers get."""
    return {name: model for name, model in models.load_models().items() if model.export}


_BLOCK_BYTES = 64
"""Block of SHA-256, in which HMAC mixes its key."""


def form_of(settings: Settings, model: models.Model) -> str:
    """Digest of how a table is written: columns, types, masks, layout, the mobiles' setting.

    A file of another form is written again; what the rows say is none of its business.
    """
    key = settings.export_mobile_key if settings.export_mobile == "hashed" else None
    written = meaning_of(f"select {exported_columns(model)}")
    text = f"{written} {model.export} {_PARQUET} {settings.export_mobile}"
    secret = key.get_secret_value().encode() if key else b"no key"
    return hmac.new(secret, text.encode(), sha256).hexdigest()[:12]


def current_parts(con: duckdb.DuckDBPyConnection) -> list[Part]:
    """The files that were published last."""
    rows = con.execute(
        "select table_name, part_day, from_minute_utc, until_minute_utc, path, rows, bytes, "
        "sha256, coalesce(form, '') from ops.export_parts"
    ).fetchall()
    return [Part(*row) for row in rows]


def stale_parts(con: duckdb.DuckDBPyConnection) -> list[Part]:
    """What is behind the warehouse: files, days, and minutes of days that lie in pieces."""
    rows = con.execute(
        "select table_name, part_day, from_minute_utc from ops.stale_parts order by all"
    ).fetchall()
    return [Part(*row) for row in rows]


def every_part(con: duckdb.DuckDBPyConnection, tables: Collection[str]) -> list[Part]:
    """All parts there must be of these tables."""
    parts = []
    for model in exported_models().values():
        if model.export is None or model.name not in tables:
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
    con: duckdb.DuckDBPyConnection, settings: Settings, parts: list[Part], token: str
) -> list[Part]:
    """Write each part under a name with ``token``, on disk when this returns; empty ones vanish."""
    root = exports_folder(settings)
    set_privacy(con, settings)
    written = []
    for part in parts:
        path = part.new_path(token)
        (root / path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        rows = _copy(con, part, root / path)
        if rows or part.part_day is None:
            form = form_of(settings, part.model)
            written.append(replace(part, path=path, rows=rows, form=form))
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
            {_PARQUET},
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
    return replace(part, bytes=path.stat().st_size, sha256=sha256_of(path))


def set_privacy(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Tell this connection how mobiles are to be written."""
    secret = settings.export_mobile_key
    key = secret.get_secret_value().encode() if secret else b""
    # RFC 2104: a key longer than a block is hashed first
    block = (sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
    for name, pad in {"inner_pad": 0x36, "outer_pad": 0x5C}.items():
        mixed = bytes(byte ^ pad for byte in block).hex()
        con.execute(f"set variable {name} = unhex('{mixed}')")
    con.execute(f"set variable export_mobile = {models.literal(settings.export_mobile)}")
