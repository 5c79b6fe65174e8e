"""The numbers of a report: the queries of ``warehouse/report``, asked for one period.

They read the marts as they are published, on the pipeline's own connection or on
``analytics.duckdb`` alike, and say nothing that could not be asked there again.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import duckdb

from pipelines.models.headers import WAREHOUSE
from pipelines.publish.report.period import DEFAULT_DAYS, Period

Figures = dict[str, Any]
"""JSON data. Times are ISO 8601 in UTC with a Z; an infinite bound is "inf"; null is not known."""
Row = dict[str, Any]

TABLES = (
    "delivery",
    "countries",
    "operators",
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
"""Queries whose rows stand in the figures as they are."""


def read_figures(con: duckdb.DuckDBPyConnection, period: Period | None = None) -> Figures:
    """Ask everything; without a period, the last days up to the latest reception.

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
    return _plain_figures(figures)


def choose_period(
    con: duckdb.DuckDBPyConnection, first_day: date | None = None, last_day: date | None = None
) -> Period | None:
    """These days; by default those up to the latest reception. None where nothing was received.

    Raises PeriodError where the days make no period.
    """
    state = ask(con, "state")[0]
    if state["as_of_utc"] is None:
        return None
    last = last_day or state["as_of_utc"].date()
    first = first_day or _first_with_messages(con, last)
    seen = [one for one in (state["as_of_utc"], state["last_hour_utc"]) if one is not None]
    return Period(first, last, max(seen))


def _first_with_messages(con: duckdb.DuckDBPyConnection, last: date) -> date:
    """Begin of the last days, without empty ones before the first message."""
    begin = last - timedelta(days=DEFAULT_DAYS - 1)
    found: date | None = con.execute(
        "select min(day_utc) from marts.delivery_daily where day_utc between ? and ?",
        [begin, last],
    ).fetchall()[0][0]
    return found or begin


def set_period(con: duckdb.DuckDBPyConnection, period: Period) -> None:
    """Set the variables that the queries read."""
    for name in ("from_utc", "to_utc", "shown_to_utc", "before_from_utc", "before_to_utc"):
        con.execute(f"set variable {name} = timestamp '{getattr(period, name)}'")
    con.execute(f"set variable step = to_hours({int(period.step.total_seconds()) // 3600})")


def ask(con: duckdb.DuckDBPyConnection, name: str) -> list[Row]:
    """Rows of one query; an error says which."""
    try:
        found = con.execute(query(name))
    except duckdb.Error as error:
        error.add_note(f"warehouse/report/{name}.sql")
        raise
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@cache
def query(name: str) -> str:
    """Text of a file in ``warehouse/report``."""
    return (WAREHOUSE / "report" / f"{name}.sql").read_text(encoding="utf-8")


def plain(value: object) -> object:
    """As JSON data."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
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
