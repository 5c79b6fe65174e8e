"""The data files of a publication: which rows of which table each one holds.

    $DLR_DATA/exports/
      sms_status/event_date=2026-11-23/20261123T1004-<unique>.parquet   first received from 10:04 on
      delivery_hourly/2026-11-23-<unique>.parquet                       a day
      delivery_daily/all-<unique>.parquet                               a whole table

A file never changes once it is there. The manifest alone says which files are current.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

import duckdb

from pipelines import models

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file, written or yet to be written, and which rows of its table it holds."""

    table_name: str
    part_day: date | None = None
    from_minute_utc: datetime | None = None
    """First minute of reception; None where the file holds the whole day or table."""
    until_minute_utc: datetime | None = None
    """Last minute of reception."""
    path: str = ""
    """Path below the exports folder."""
    rows: int = 0
    bytes: int = 0
    sha256: str = ""
    form: str = ""
    """Digest of how it was written, see ``parquet.form_of``."""

    @property
    def model(self) -> models.Model:
        """The model of the file's table."""
        return models.load_models()[self.table_name]

    def condition(self) -> str:
        """SQL condition that the rows of the file meet."""
        export = self.model.export
        if export is None or self.part_day is None:
            return "true"
        clock = export.columns[0]
        conditions = [
            f"{clock} >= timestamp '{self.part_day}'",
            f"{clock} < timestamp '{self.part_day + timedelta(days=1)}'",
        ]
        if self.from_minute_utc is not None:
            conditions += [
                f"{export.columns[1]} >= timestamp '{self.from_minute_utc}'",
                f"{export.columns[1]} < timestamp '{self.end + MINUTE}'",
            ]
        return " and ".join(conditions)

    def new_path(self, token: str) -> str:
        """Path below the exports folder; ``token`` is unique to the publication."""
        if self.part_day is None:
            return f"{self.model.table}/all-{token}.parquet"
        if self.from_minute_utc is None:
            return f"{self.model.table}/{self.part_day}-{token}.parquet"
        minute = f"{self.from_minute_utc:%Y%m%dT%H%M}"
        return f"{self.model.table}/event_date={self.part_day}/{minute}-{token}.parquet"

    @property
    def start(self) -> datetime:
        """First minute of reception; the beginning of time for a whole day."""
        return self.from_minute_utc or datetime.min  # noqa: DTZ901  compared with naive UTC

    @property
    def end(self) -> datetime:
        """Last minute of reception; the first one where no other is known."""
        return self.until_minute_utc or self.start

    def spanning(self, files: Iterable["DataFile"]) -> "DataFile":
        """A file to be written for the same day, from the first minute of ``files`` to the last."""
        every = list(files)
        start, end = min(file.start for file in every), max(file.end for file in every)
        return DataFile(self.table_name, self.part_day, start, end)


def exported_models() -> dict[str, models.Model]:
    """The tables readers get."""
    return {name: model for name, model in models.load_models().items() if model.export}


def current_files(con: duckdb.DuckDBPyConnection) -> list[DataFile]:
    """The files of the last publication."""
    # files written before forms were recorded have none
    known = "(select * replace (coalesce(form, '') as form) from ops.export_parts)"
    names = ", ".join(field.name for field in fields(DataFile))
    rows = con.execute(f"select {names} from {known}").fetchall()
    return [DataFile(*row) for row in rows]


def stale_files(con: duckdb.DuckDBPyConnection) -> list[DataFile]:
    """What is behind the warehouse: tables, days, or minutes of days that have several files."""
    rows = con.execute(
        "select table_name, part_day, from_minute_utc from ops.stale_parts order by all"
    ).fetchall()
    return [DataFile(*row) for row in rows]


def all_files(con: duckdb.DuckDBPyConnection, tables: Collection[str]) -> list[DataFile]:
    """All that must be written for these tables where nothing is published yet."""
    files = []
    for model in exported_models().values():
        if model.export is None or model.name not in tables:
            continue
        rows = con.execute(f"select distinct {model.export.part} from {model.name}").fetchall()
        files += [DataFile(model.name, day, minute) for day, minute in rows]
        if model.export.layout == "file" and not rows:
            files.append(DataFile(model.name))
    return files


def rows_by_minute(con: duckdb.DuckDBPyConnection, file: DataFile) -> dict[datetime, int]:
    """Number of rows of a file by their minute of reception."""
    export = file.model.export
    clock = export.columns[1] if export else ""
    return dict(
        con.execute(
            f"select date_trunc('minute', {clock}), count(*) from {file.table_name} "
            f"where {file.condition()} group by all"
        ).fetchall()
    )
