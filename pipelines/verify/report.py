"""The figures of the published report, computed anew from the expected marts and compared."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.verify.functions import is_close, rate, wilson_high, wilson_low
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
RATES = {
    "reported_delivery_rate": ("delivered", "reports"),
    "delivery_rate": ("sent_delivered", "sent"),
    "receipt_rate": ("sent_reported", "sent"),
    "effective_rate": ("sent_delivered", "could_arrive"),
}
"""Rates of the headline: part and whole."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  naive and UTC, as every time of the report
_FIGURES = re.compile(r'<script type="application/json" id="figures">(.*?)</script>', re.DOTALL)
Figures = dict[str, Any]
Mask = Callable[[str | None], str | None]


def compare_page(
    con: sqlite3.Connection, manifest: Figures | None, copies: Mapping[str, Path]
) -> Iterator[str]:
    """Yield what is wrong with the report: its time, and its figures where it is the newest."""
    entry = (manifest or {}).get("report")
    if not isinstance(entry, dict):
        if (manifest or {}).get("files"):
            yield "the manifest lists no report."
        return
    page = copies["report.html"].read_text("utf-8") if "report.html" in copies else ""
    script = _FIGURES.search(page)
    try:
        figures = json.loads(script[1] if script else "")
        as_of = figures["state"]["as_of_utc"]
    except (ValueError, KeyError, TypeError):
        yield "its figures cannot be read."
        return
    if str(entry.get("as_of_utc")) != str(as_of).removesuffix("Z"):
        yield f"as_of_utc is {as_of}, in the manifest {entry.get('as_of_utc')}."
    if entry.get("problem") is None:
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
        figures["headline"] = {row.pop("period"): row | _rates(row) for row in headline}
        figures |= {name: _ask(con, _query(*query)) for name, query in SECTIONS.items()}
    return figures


def _query(name: str, keys: str = "", period: str = "'now'") -> str:
    order = ", ".join(f"{key} nulls last" for key in keys.split(", "))
    text = (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
    return text.format(keys=keys, order=order, period=period)


def _rates(counts: Figures) -> Figures:
    """The rates of the headline with their intervals."""
    found: Figures = {}
    for name, (part, whole) in RATES.items():
        of = counts[part], counts[whole]
        found |= {name: rate(*of), f"{name}_low": wilson_low(*of), f"{name}_high": wilson_high(*of)}
    return found


def _ask(con: sqlite3.Connection, query: str) -> list[Figures]:
    return [
        {name: _in_json(name, value) for name, value in row.items()}
        for row in named_rows(con.execute(query))
    ]


def _in_json(name: str, value: object) -> object:
    """A value as the report writes it: times in ISO 8601 with a Z, an infinite bound as a word."""
    if name.endswith("_utc") and isinstance(value, int):
        return f"{(_EPOCH + timedelta(microseconds=value)).isoformat()}Z"
    return "inf" if value == float("inf") else value


def _differences(place: str, said: object, expected: object) -> Iterator[str]:
    """Walk through both at once; rows are compared by their place in the list."""
    if isinstance(said, Mapping) and isinstance(expected, Mapping):
        for name in {**expected, **said}:
            inner = f"{place}.{name}" if place else str(name)
            yield from _differences(inner, said.get(name, "nothing"), expected.get(name, "nothing"))
    elif isinstance(said, list) and isinstance(expected, list):
        if len(said) != len(expected):
            yield f"{place}: the report has {len(said)} rows, recounted {len(expected)}."
        for number, (one, other) in enumerate(zip(said, expected, strict=False)):
            yield from _differences(f"{place}[{number}]", one, other)
    elif not is_close(said, expected):
        yield f"{place}: the report says {said}, recounted {expected}."
