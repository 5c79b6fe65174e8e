"""The numbers of a report: the queries of ``warehouse/report``, run for one period.

They read only published marts, so they give the same answers on the pipeline's own connection and
on ``analytics.duckdb``.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import duckdb

from pipelines.models.headers import WAREHOUSE
from pipelines.publish.report.period import DEFAULT_DAYS, Period

Figures = dict[str, Any]
"""JSON data. Times are ISO 8601 in UTC with a Z; an infinite bound is "inf"; null is unknown."""
Row = dict[str, Any]

TABLES = (
    "delivery",
    "causes",
    "failures",
    "codes",
    "latency",
    "latency_operators",
    "distribution",
    "health",
    "unmapped",
    "coverage",
    "suspicious",
)
"""Queries whose rows are figures as they are."""


def read_figures(con: duckdb.DuckDBPyConnection, period: Period | None = None) -> Figures:
    """Run every query; without a period, for the last days up to the latest reception.

    The connection must know the functions of ``warehouse/functions``.
    """
    state = ask(con, "state")[0]
    period = period or choose_period(con)
    figures: Figures = {"state": state, "period": None, "comparable": False}
    if period is None:
        return _plain_figures(figures)
    set_period(con, period)
    first = state["first_received_utc"]
    figures["period"] = _described(period)
    figures["comparable"] = first is not None and first <= period.before_from_utc
    figures["headline"] = {row.pop("period"): row for row in ask(con, "headline")}
    figures["latency_headline"] = ask(con, "latency_headline")
    for name in TABLES:
        figures[name] = ask(con, name)
    places = ask(con, "places")
    figures["countries"] = [_without(row, "range_operator") for row in places if row["by_country"]]
    figures["operators"] = [_without(row) for row in places if not row["by_country"]]
    return _plain_figures(figures)


def _without(row: Row, *names: str) -> Row:
    """A row of ``places`` without the mark of its grouping and without these columns."""
    return {name: value for name, value in row.items() if name not in ("by_country", *names)}


def choose_period(
    con: duckdb.DuckDBPyConnection, first_day: date | None = None, last_day: date | None = None
) -> Period | None:
    """These days; by default those up to the latest reception. None where nothing was received.

    Raises PeriodError where the first day is after the last.
    """
    state = ask(con, "state")[0]
    if state["as_of_utc"] is None:
        return None
    last = last_day or state["as_of_utc"].date()
    first = first_day or _first_with_messages(con, last)
    latest = max(filter(None, (state["as_of_utc"], state["last_hour_utc"])))
    return Period(first, last, latest)


def _first_with_messages(con: duckdb.DuckDBPyConnection, last: date) -> date:
    """First of the last days, without empty ones before the first message."""
    begin = last - timedelta(days=DEFAULT_DAYS - 1)
    day: date | None = con.execute(
        "select min(day_utc) from marts.delivery_daily where day_utc between ? and ?",
        [begin, last],
    ).fetchall()[0][0]
    return day or begin


def set_period(con: duckdb.DuckDBPyConnection, period: Period) -> None:
    """Set the variables that the queries read."""
    for name in ("from_utc", "to_utc", "shown_to_utc", "before_from_utc", "before_to_utc"):
        con.execute(f"set variable {name} = timestamp '{getattr(period, name)}'")
    con.execute(f"set variable step = to_hours({int(period.step.total_seconds()) // 3600})")


def ask(con: duckdb.DuckDBPyConnection, name: str) -> list[Row]:
    """Rows of one query; an error names its file."""
    try:
        answer = con.execute(query(name))
    except duckdb.Error as error:
        error.add_note(f"warehouse/report/{name}.sql")
        raise
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


@cache
def query(name: str) -> str:
    """Text of a file in ``warehouse/report``."""
    return (WAREHOUSE / "report" / f"{name}.sql").read_text(encoding="utf-8")


def plain(value: object) -> object:
    """A value as JSON data."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    return "inf" if value == float("inf") else value


def _plain_figures(figures: Figures) -> Figures:
    return {name: plain(value) for name, value in figures.items()}


def _described(period: Period) -> Row:
    names = (
        *("first_day", "last_day", "days", "from_utc", "to_utc", "shown_to_utc"),
        *("before_from_utc", "before_to_utc"),
    )
    return {
        **{name: getattr(period, name) for name in names},
        "step_hours": int(period.step.total_seconds()) // 3600,
    }
