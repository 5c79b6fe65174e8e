"""Tables to Parquet: only the parts that changed, written under new names.

    $DLR_DATA/exports/
      sms_status/event_date=2026-11-23/T10-<unique>.parquet   received between 10 and 11 o'clock
      sms_status/event_date=2026-11-18/all-<unique>.parquet   a finished day in one piece
      delivery_hourly/2026-11-23-<unique>.parquet             a day
      delivery_daily/all-<unique>.parquet                     a table that is one file

A file is never changed once it is there. Which files are current, only the manifest says.
"""

import secrets
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import file_digest
from pathlib import Path

import duckdb

from ingest.settings import Settings
from pipelines import models
from pipelines.files import sync

FINISHED_AFTER = timedelta(days=4)
"""Reports come up to 72 h late; a day older than this is compacted into one file."""
_MOST_LATE_PIECES = 12
"""So many small files may lie beside a compacted day before it is put together again."""


@dataclass(frozen=True, slots=True)
class Part:
    """One exported file, and which rows of its table it holds."""

    table_name: str
    part_day: date | None
    part_hour_utc: datetime | None
    """Hour of first reception; None where the file holds the whole day or table."""
    until_hour_utc: datetime | None
    """In a compacted day the last hour of reception it covers."""
    path: str = ""
    rows: int = 0
    bytes: int = 0
    sha256: str = ""

    @property
    def model(self) -> models.Model:
        """The model of the part's table."""
        return models.load_models()[self.table_name]

    @property
    def key(self) -> tuple[object, ...]:
        """What tells the part from every other."""
        return (self.table_name, self.part_day, self.part_hour_utc, self.until_hour_utc)

    def condition(self) -> str:
        """SQL that holds for the rows of the part."""
        export = self.model.export
        if export is None or self.part_day is None:
            return "true"
        clock = export.columns[0]
        conditions = [
            f"{clock} >= timestamp '{self.part_day}'",
            f"{clock} < timestamp '{self.part_day + timedelta(days=1)}'",
        ]
        if self.part_hour_utc is not None:
            hour = self.part_hour_utc
            conditions += [
                f"{export.columns[1]} >= timestamp '{hour}'",
                f"{export.columns[1]} < timestamp '{hour + timedelta(hours=1)}'",
            ]
        elif self.until_hour_utc is not None:
            until = self.until_hour_utc + timedelta(hours=1)
            conditions.append(f"{export.columns[1]} < timestamp '{until}'")
        return " and ".join(conditions)

    def new_path(self) -> str:
        """A name below the exports folder that was never used before."""
        unique = secrets.token_hex(4)
        if self.part_day is None:
            return f"{self.model.table}/all-{unique}.parquet"
        if self.model.export is not None and self.model.export.layout == "day":
            return f"{self.model.table}/{self.part_day}-{unique}.parquet"
        piece = "all" if self.part_hour_utc is None else f"{self.part_hour_utc:%Y%m%dT%H}"
        return f"{self.model.table}/event_date={self.part_day}/{piece}-{unique}.parquet"


def current_parts(con: duckdb.DuckDBPyConnection) -> list[Part]:
    """The files that were published last."""
    rows = con.execute(
        "select table_name, part_day, part_hour_utc, until_hour_utc, path, rows, bytes, sha256 "
        "from ops.export_parts"
    ).fetchall()
    return [Part(*row) for row in rows]


def stale_parts(con: duckdb.DuckDBPyConnection) -> list[Part]:
    """What is behind the warehouse, not knowing of compacted days."""
    rows = con.execute(
        "select table_name, part_day, part_hour_utc, null from ops.stale_parts order by all"
    ).fetchall()
    return [Part(*row) for row in rows]


def every_part(con: duckdb.DuckDBPyConnection) -> list[Part]:
    """All parts there must be, for a publication from nothing."""
    parts = []
    for model in models.load_models().values():
        if model.export is None:
            continue
        found = con.execute(f"select distinct {model.export.part} from {model.name}").fetchall()
        parts += [Part(model.name, day, hour, None) for day, hour in found]
        if model.export.layout == "file" and not found:
            parts.append(Part(model.name, None, None, None))
    return parts


def plan(current: Iterable[Part], stale: Iterable[Part]) -> tuple[list[Part], list[Part]]:
    """Which current parts stay, and which are to be written.

    A stale hour that lies in a compacted day means that day; days that are finished and lie in
    pieces are put together.
    """
    by_key = {part.key: part for part in current}
    compacted = {
        (part.table_name, part.part_day): part for part in by_key.values() if part.until_hour_utc
    }
    write: dict[tuple[object, ...], Part] = {}
    for part in stale:
        whole = compacted.get((part.table_name, part.part_day))
        if whole and part.part_hour_utc and part.part_hour_utc <= _until(whole):
            part = whole
        write[part.key] = part
    keep = {key: part for key, part in by_key.items() if key not in write}
    for pieces in _finished(keep | write):
        for piece in pieces:
            keep.pop(piece.key, None)
            write.pop(piece.key, None)
        whole = _together(pieces)
        write[whole.key] = whole
    return list(keep.values()), list(write.values())


def _until(part: Part) -> datetime:
    return part.until_hour_utc or datetime.min  # noqa: DTZ901  compared with naive UTC


def _finished(parts: dict[tuple[object, ...], Part]) -> Iterator[list[Part]]:
    """Pieces of each day that is over, where there are too many."""
    by_day: dict[tuple[str, date], list[Part]] = {}
    latest: dict[str, date] = {}
    for part in parts.values():
        export = part.model.export
        if part.part_day is not None and export is not None and export.layout == "hive":
            by_day.setdefault((part.table_name, part.part_day), []).append(part)
            latest[part.table_name] = max(latest.get(part.table_name, date.min), part.part_day)
    for (table, day), pieces in by_day.items():
        once = any(part.until_hour_utc for part in pieces)
        most = 1 + _MOST_LATE_PIECES if once else 1
        if len(pieces) > most and day < latest[table] - FINISHED_AFTER:
            yield pieces


def _together(pieces: list[Part]) -> Part:
    hours = [part.part_hour_utc or part.until_hour_utc for part in pieces]
    last = max(hour for hour in hours if hour is not None)
    return Part(pieces[0].table_name, pieces[0].part_day, None, last)


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
            format parquet, compression zstd, dictionary_size_limit 1000,
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
