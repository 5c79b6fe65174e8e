"""The figures of the published report, computed anew from the expected marts and compared."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.verify.functions import is_close
from pipelines.verify.manifest import Manifest
from pipelines.verify.masking import struck
from pipelines.verify.scratch import named_rows

QUERIES = Path(__file__).parent / "expected" / "report"
SECTIONS: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in ("delivery", "health", "causes", "failures", "codes")},
    **{name: (name,) for name in ("unmapped", "coverage", "suspicious", "distribution")},
    "countries": ("places", "country_code"),
    "operators": ("places", "country_code, range_operator"),
    "latency": ("percentiles", "interval, at_utc"),
    "latency_headline": ("percentiles", "interval, period", "period"),
    "latency_operators": ("latency_operators",),
}
"""Parts of the figures that are rows of a query: its file, and the keys that are filled into it."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  naive and UTC, as every time of the manifest
_FIGURES = re.compile(r'<script type="application/json" id="figures">(.*?)</script>', re.DOTALL)
Figures = dict[str, Any]
Mask = Callable[[str | None], str | None]


def compare_page(con: sqlite3.Connection, manifest: Manifest, page: Path) -> Iterator[str]:
    """Yield what is wrong with the report: its time, and its figures where it is the newest."""
    entry = manifest.report
    if entry is None:
        if manifest.files:
            yield "the manifest lists no report."
        return
    script = _FIGURES.search(page.read_text("utf-8")) if page.exists() else None
    try:
        figures = json.loads(script[1] if script else "")
        as_of = figures["state"]["as_of_utc"]
    except (ValueError, KeyError, TypeError):
        yield "its figures cannot be read."
        return
    if as_of != (entry.as_of_utc and _in_iso(entry.as_of_utc)):
        yield f"as_of_utc is {as_of}, in the manifest {entry.as_of_utc}."
    if entry.problem is None:
        # the report is for everybody, and masked whatever the setting
        yield from compare_report(con, figures, lambda text: struck(text, None))


def compare_report(
    con: sqlite3.Connection, figures: Mapping[str, Any], mask: Mask
) -> Iterator[str]:
    """Yield a sentence for each figure of a report that differs from the recount.

    ``figures`` is the JSON of the page's ``#figures``. The connection knows verify's functions and
    holds the expected ``marts_…``, ``core_carrier_errors`` and ``ops_ledger``; ``mask`` writes the
    words of others as readers see them.
    """
    yield from _differences("", figures, recount(con, mask))


def recount(con: sqlite3.Connection, mask: Mask) -> Figures:
    """Compute what the report must say, in the form of its JSON."""
    con.create_function("masked", 1, mask)
    con.execute(f"create temp table period as {_query('period')}")
    con.executescript(_query("cuts"))
    operators = _query("percentiles", "country_code, range_operator, interval")
    con.execute(f"create temp view bounds as {operators}")
    try:
        return _figures(con)
    finally:
        for kind, name in con.execute("select type, name from temp.sqlite_schema").fetchall():
            con.execute(f"drop {kind} temp.{name}")


def _figures(con: sqlite3.Connection) -> Figures:
    [state] = _ask(con, _query("state"))
    period = next(iter(_ask(con, "select * from period")), None)
    figures: Figures = {"state": state, "period": period, "comparable": False}
    if period is not None:
        first = state["first_received_utc"]
        figures["comparable"] = first is not None and first <= period["before_from_utc"]
        headline = _ask(con, _query("headline"))
        figures["headline"] = {row.pop("period"): row for row in headline}
        figures |= {name: _ask(con, _query(*query)) for name, query in SECTIONS.items()}
    return figures


def _query(name: str, keys: str = "", period: str = "'now'") -> str:
    order = ", ".join(f"{key} nulls last" for key in keys.split(", "))
    text = (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
    return text.format(keys=keys, order=order, period=period)


def _ask(con: sqlite3.Connection, query: str) -> list[Figures]:
    return [
        {name: _in_json(name, value) for name, value in row.items()}
        for row in named_rows(con.execute(query))
    ]


def _in_json(name: str, value: object) -> object:
    """A value as the report writes it; an infinite bound is a word."""
    if name.endswith("_utc") and isinstance(value, int):
        return _in_iso(_EPOCH + timedelta(microseconds=value))
    return "inf" if value == float("inf") else value


def _in_iso(at_utc: datetime) -> str:
    return f"{at_utc.isoformat()}Z"


def _differences(place: str, figure: object, expected: object) -> Iterator[str]:
    """Walk through both at once; rows are compared by their place in the list."""
    if isinstance(figure, Mapping) and isinstance(expected, Mapping):
        for name in {**expected, **figure}:
            inner = f"{place}.{name}" if place else str(name)
            pair = figure.get(name, "nothing"), expected.get(name, "nothing")
            yield from _differences(inner, *pair)
    elif isinstance(figure, list) and isinstance(expected, list):
        if len(figure) != len(expected):
            yield f"{place}: the report has {len(figure)} rows, recounted {len(expected)}."
        for number, pair in enumerate(zip(figure, expected, strict=False)):
            yield from _differences(f"{place}[{number}]", *pair)
    elif not is_close(figure, expected):
        yield f"{place}: the report says {figure}, recounted {expected}."
