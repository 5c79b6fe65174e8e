"""One exported file, and which rows of its table it holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipelines import models

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Part:
    """One exported file, and which rows of its table it holds."""

    table_name: str
    part_day: date | None = None
    from_minute_utc: datetime | None = None
    """First minute of reception; None where the file holds the whole day or table."""
    until_minute_utc: datetime | None = None
    """Last minute of reception."""
    path: str = ""
    rows: int = 0
    bytes: int = 0
    sha256: str = ""
    form: str = ""
    """Digest of how it was written, see ``export.form_of``."""

    @property
    def model(self) -> models.Model:
        """The model of the part's table."""
        return models.load_models()[self.table_name]

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
        if self.from_minute_utc is not None:
            conditions += [
                f"{export.columns[1]} >= timestamp '{self.from_minute_utc}'",
                f"{export.columns[1]} < timestamp '{self.end + MINUTE}'",
            ]
        return " and ".join(conditions)

    def new_path(self, token: str) -> str:
        """Name below the exports folder; ``token`` is of this publication, and of no other."""
        if self.part_day is None:
            return f"{self.model.table}/all-{token}.parquet"
        if self.from_minute_utc is None:
            return f"{self.model.table}/{self.part_day}-{token}.parquet"
        piece = f"{self.from_minute_utc:%Y%m%dT%H%M}"
        return f"{self.model.table}/event_date={self.part_day}/{piece}-{token}.parquet"

    @property
    def start(self) -> datetime:
        """First minute of reception; the beginning of time where it is a whole day."""
        return self.from_minute_utc or datetime.min  # noqa: DTZ901  compared with naive UTC

    @property
    def end(self) -> datetime:
        """Last minute of reception; a part that has none is one minute."""
        return self.until_minute_utc or self.start

    def spanning(self, parts: Iterable["Part"], rows: int = 0) -> "Part":
        """A part of the same day, not written yet, from the first to the last of the others."""
        every = list(parts)
        return Part(
            self.table_name,
            self.part_day,
            min(part.start for part in every),
            max(part.end for part in every),
            rows=rows,
        )
