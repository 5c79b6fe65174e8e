"""The numbers of a report: the queries of ``warehouse/report``, run for one period.

They read only published marts, so they give the same answers on the pipeline's own connection and
on ``analytics.duckdb``.
"""

from datetime import date, datetime
from functools import cache
from typing import Any

import duckdb

from contract.errors import UserError
from pipelines.models.headers import WAREHOUSE
from pipelines.models.parsing import literal
from pipelines.models.rows import fetch_rows

Figures = dict[str, Any]
"""JSON data. Times are ISO 8601 in UTC with a Z; an infinite bound is "inf"; null is unknown."""
Row = dict[str, Any]

TABLES = (
    *("latency_headline", "delivery", "causes", "failures", "codes", "latency"),
    *("latency_operators", "distribution", "health", "unmapped", "coverage", "suspicious"),
)
"""Queries whose rows are figures as they are."""


class PeriodError(UserError):
    """The days given are not a period."""


def read_figures(
    con: duckdb.DuckDBPyConnection, first_day: date | None = None, last_day: date | None = None
) -> Figures:
    """Run every query for these UTC days, by default for the last ones (``period.sql``).

    The connection must know the functions of ``warehouse/functions``. Raises PeriodError where the
    first day is after the last.
    """
    state = ask(con, "state")[0]
    period = set_period(con, first_day, last_day)
    figures: Figures = {"state": state, "period": period, "comparable": False}
    if period:
        first = state["first_received_utc"]
        figures["comparable"] = first is not None and first <= period["before_from_utc"]
        figures["headline"] = {row.pop("period"): row for row in ask(con, "headline")}
        figures |= {name: ask(con, name) for name in TABLES}
        figures |= {"countries": [], "operators": []}
        for row in ask(con, "places"):
            if row.pop("by_country"):
                del row["range_operator"]
                figures["countries"].append(row)
            else:
                figures["operators"].append(row)
    return dict(plain(figures))


def set_period(
    con: duckdb.DuckDBPyConnection, first_day: date | None = None, last_day: date | None = None
) -> Row | None:
    """Choose the days and set the variables that the queries read; None before the first push.

    Raises PeriodError where the first day is after the last.
    """
    for name, day in {"first_day": first_day, "last_day": last_day}.items():
        con.execute(f"set variable {name} = {f'date {literal(str(day))}' if day else 'null'}")
    period = next(iter(ask(con, "period")), None)
    if period is None:
        return None
    if period["days"] < 1:
        raise PeriodError(f"The period ends ({period['last_day']}) before it begins.")
    for name in ("from_utc", "to_utc", "shown_to_utc", "before_from_utc", "before_to_utc"):
        con.execute(f"set variable {name} = timestamp '{period[name]}'")
    con.execute(f"set variable step = to_hours({period['step_hours']})")
    return period


def ask(con: duckdb.DuckDBPyConnection, name: str) -> list[Row]:
    """Rows of one query; an error names its file."""
    try:
        return fetch_rows(con, query(name))
    except duckdb.Error as error:
        error.add_note(f"warehouse/report/{name}.sql")
        raise


@cache
def query(name: str) -> str:
    """Text of a file in ``warehouse/report``."""
    return (WAREHOUSE / "report" / f"{name}.sql").read_text(encoding="utf-8")


def plain(value: Any) -> Any:  # noqa: ANN401  what a query answers
    """A value as JSON data."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    return "inf" if value == float("inf") else value
