"""The days a report covers, its time steps, and the period it is compared with."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from contract.errors import UserError

DEFAULT_DAYS = 7
"""Days of the report that is published with each run."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class PeriodError(UserError):
    """The days given are not a period; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole UTC days, both ends included. Raises PeriodError where the first is after the last."""

    first_day: date
    last_day: date
    seen_until_utc: datetime
    """The latest reception or event: nothing can be shown after it."""

    def __post_init__(self) -> None:
        if self.first_day > self.last_day:
            raise PeriodError(f"The period ends ({self.last_day}) before it begins.")

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last_day - self.first_day).days + 1

    @property
    def from_utc(self) -> datetime:
        """Start."""
        return datetime.combine(self.first_day, time())

    @property
    def to_utc(self) -> datetime:
        """End, exclusive."""
        return datetime.combine(self.last_day + _DAY, time())

    @property
    def shown_to_utc(self) -> datetime:
        """End of what is drawn: the current day is shown up to the latest hour."""
        seen = self.seen_until_utc.replace(minute=0, second=0, microsecond=0) + _HOUR
        return min(self.to_utc, seen) if seen > self.from_utc else self.to_utc

    @property
    def before_from_utc(self) -> datetime:
        """Start of the previous period, which has the same length."""
        return self.from_utc - self.days * _DAY

    @property
    def before_to_utc(self) -> datetime:
        """End of the previous period, cut at the same time of day as this one."""
        return self.before_from_utc + (self.shown_to_utc - self.from_utc)

    @property
    def step(self) -> timedelta:
        """Time step of the charts; chosen so that a chart stays legible."""
        for most_days, step in ((3, _HOUR), (14, 6 * _HOUR), (120, _DAY)):
            if self.days <= most_days:
                return step
        return 7 * _DAY
