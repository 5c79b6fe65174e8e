"""Writes data files: only what changed, under new names.

A file is written again where its rows changed, or where its table is to be written in another form.
"""

import hmac
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
from pipelines.publish.data_files import DataFile

_PARQUET = (
    "format parquet, compression zstd, compression_level 1, dictionary_size_limit 1000, "
    "row_group_size 61440"
)
_BLOCK_BYTES = 64
"""Block of SHA-256, into which HMAC mixes its key."""


def form_of(settings: Settings, model: models.Model) -> str:
    """Digest of how a table is written: columns, types, masks, layout, how mobiles are exported.

    A file of another form is written again, whether or not its rows changed.
    """
    key = settings.export_mobile_key if settings.export_mobile == "hashed" else None
    written = meaning_of(f"select {exported_columns(model)}")
    text = f"{written} {model.export} {_PARQUET} {settings.export_mobile}"
    secret = key.get_secret_value().encode() if key else b"no key"
    return hmac.new(secret, text.encode(), sha256).hexdigest()[:12]


def write_files(
    con: duckdb.DuckDBPyConnection, settings: Settings, files: list[DataFile], token: str
) -> list[DataFile]:
    """Write each file under a name with ``token``; on disk when this returns.

    A day or minute without rows gets no file.
    """
    root = exports_folder(settings)
    set_privacy(con, settings)
    written = []
    for file in files:
        path = file.new_path(token)
        (root / path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        rows = _copy(con, file, root / path)
        if rows or file.part_day is None:
            form = form_of(settings, file.model)
            written.append(replace(file, path=path, rows=rows, form=form))
        else:
            (root / path).unlink()
    with ThreadPoolExecutor(max_workers=2) as pool:
        on_disk = list(pool.map(lambda file: _bring_to_disk(root, file), written))
    for folder in {(root / file.path).parent for file in on_disk}:
        sync(folder)
        sync(folder.parent)
    return on_disk


def _copy(con: duckdb.DuckDBPyConnection, file: DataFile, path: Path) -> int:
    rows = f"select {exported_columns(file.model)} from {file.table_name} where {file.condition()}"
    version = models.literal(models.schema_version())
    options = f"{_PARQUET}, kv_metadata {{schema_version: {version}}}"
    con.execute(f"copy ({rows}) to {models.literal(str(path))} ({options})")
    return int(con.fetchall()[0][0])


def exported_columns(model: models.Model) -> str:
    """The model's columns as they are written: types pinned, mobiles as the settings say."""
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


def _bring_to_disk(root: Path, file: DataFile) -> DataFile:
    path = root / file.path
    path.chmod(0o600)
    sync(path)
    return replace(file, bytes=path.stat().st_size, sha256=sha256_of(path))


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
