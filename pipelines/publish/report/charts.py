"""The charts on the pages of the marts in the Dagster UI."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import duckdb

from pipelines.publish.report import words
from pipelines.publish.report.cards import main_interval
from pipelines.publish.report.figures import Row, ask, set_period
from pipelines.publish.report.svg import BLUE, ORANGE, PURPLE, SHOWN_BELOW, Chart, Curve

_STEPS = (28, 21, 14, 7)
_BOUNDS = (1, 2, 3, 5, 10, 30, 60, 180, 600, 3600, math.inf)


def chart_of(con: duckdb.DuckDBPyConnection, table: str) -> str | None:
    """Picture of a mart's last days as Markdown; None where there is no chart, or nothing to draw.

    It has as many steps as fit into what Dagster shows on the asset's page.
    """
    draw = _CHARTS.get(table)
    period = set_period(con) if draw else None
    if draw is None or period is None:
        return None
    hours = (period["shown_to_utc"] - period["from_utc"]).total_seconds() / 3600
    picture = None
    for steps in _STEPS:
        con.execute(f"set variable step = to_hours({math.ceil(hours / steps)})")
        picture = draw(con)
        if picture is None or len(picture) < SHOWN_BELOW:
            break
    return picture


def _delivery(con: duckdb.DuckDBPyConnection) -> str | None:
    rows = ask(con, "delivery")
    firm = [
        row["low"] for row in rows if row["rate"] is not None and row["high"] - row["low"] < 0.2
    ]
    least = math.floor(20 * min([0.95, *firm])) / 20
    ticks = [(least, words.percent(least, 0)), (1.0, "100 %")]
    return _chart(
        "Delivery rate of reported, with 95 % interval",
        rows,
        ticks,
        curves=[Curve("", [row["rate"] for row in rows])],
        band=([row["low"] for row in rows], [row["high"] for row in rows]),
    )


def _latency(con: duckdb.DuckDBPyConnection) -> str | None:
    rows = ask(con, "latency")
    interval = main_interval(rows)
    rows = [row for row in rows if row["interval"] == interval]
    if not rows:
        return None
    top = max(6, *(_BOUNDS.index(row["p99_s"]) for row in rows))
    names = {4: "10 s", 6: "1 min", 9: "1 h", 10: "over"}
    names.pop(9 if top == 10 else 10)
    ticks = [(0, "1 s"), *((at, name) for at, name in names.items() if at <= top)]
    curves = [
        Curve(name, [_BOUNDS.index(row[key]) for row in rows], colour)
        for name, key, colour in (
            ("median", "p50_s", BLUE),
            ("95 %", "p95_s", ORANGE),
            ("99 %", "p99_s", PURPLE),
        )
    ]
    return _chart(f"{words.label(interval)}:", rows, ticks, curves=curves)


def _failures(con: duckdb.DuckDBPyConnection) -> str | None:
    failures = Counter[datetime]()
    for row in ask(con, "failures"):
        failures[row["at_utc"]] += row["failures"]
    rows: list[Row] = [{"at_utc": at, "n": count} for at, count in failures.items()]
    return _counts("Failed messages", rows, "n")


def _feed(con: duckdb.DuckDBPyConnection) -> str | None:
    return _counts("Records received", ask(con, "health"), "records")


def _counts(title: str, rows: Sequence[Row], name: str) -> str | None:
    values = [row[name] for row in rows]
    top = _round_up(max(values, default=0))
    ticks = [(0, "0"), (top / 2, words.number(top / 2)), (top, words.number(top))]
    return _chart(title, rows, ticks, bars=values)


def _round_up(value: float) -> int:
    """The next number of one even digit and zeros, so that its half is a round number, too."""
    size = int("1" + "0" * (len(str(max(1, round(value)))) - 1))
    return 2 * size * math.ceil(max(1, value) / (2 * size))


def _chart(
    title: str, rows: Sequence[Row], ticks: Sequence[tuple[float, str]], **drawn: object
) -> str | None:
    if not rows:
        return None
    ends = (f"{rows[0]['at_utc']:%d %b, %H:%M} UTC", f"{rows[-1]['at_utc']:%d %b %Y, %H:%M} UTC")
    return Chart(title, ends, ticks, len(rows), **drawn).markdown()  # type: ignore[arg-type]


_CHARTS: dict[str, Callable[[duckdb.DuckDBPyConnection], str | None]] = {
    "marts.delivery_hourly": _delivery,
    "marts.latency_hourly": _latency,
    "marts.failures_daily": _failures,
    "marts.push_health_hourly": _feed,
}
