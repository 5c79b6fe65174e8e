"""The headline: the figures people ask for first, each with its base and its trend."""

from dataclasses import dataclass
from typing import Any

from pipelines.publish.report import words
from pipelines.publish.report.figures import Figures, Row


@dataclass(frozen=True, slots=True)
class Trend:
    """How a figure differs from the previous period."""

    text: str
    was: str
    """The figure in the previous period."""
    tone: str = "even"
    """better, worse or even; shown by words and a sign as well, because not all see colours."""
    note: str = ""

    @property
    def title(self) -> str:
        """What it is compared with."""
        return f"{self.was} in the previous period{self.note}"


@dataclass(frozen=True, slots=True)
class Card:
    """One figure of the headline."""

    label: str
    value: str
    title: str
    """The exact value."""
    detail: str
    trend: Trend | None = None
    state: str = ""
    """good or bad, where the card says whether something is in order; else empty."""


INTERVALS = {
    "report_lag": "from handset to receiver",
    "handset_latency": "from sending to handset",
    "end_to_end": "from sending to receiver",
}
_RATES = {
    "reported_delivery_rate": ("Delivery rate of reported", "95 % interval"),
    "delivery_rate": ("Delivery rate of sent", "{sent_delivered} of {sent} sent;"),
    "receipt_rate": ("Receipt rate", "{pending} pending, {unknown} never reported;"),
    "effective_rate": (
        "Effective delivery rate",
        "excluding pending and recipient-side failures;",
    ),
}
"""Label of each rate, and what stands before its interval; the first needs no send log."""


def cards(figures: Figures) -> list[Card]:
    """All cards, in the order in which they are shown."""
    now = figures["headline"].get("now") or dict.fromkeys(["reports", "delivered", "failed"], 0)
    before = figures["headline"].get("before") if figures["comparable"] else None
    rates = list(_RATES) if now.get("sent") else list(_RATES)[:1]
    return [
        _reports(now, before),
        *(_rate(now, before, name) for name in rates),
        _latency(figures),
        _cause(figures),
        _reconciliation(figures["state"]),
    ]


def main_interval(rows: list[Row]) -> str:
    """The latency that is shown: the handset's where the send log makes it known."""
    known = {row["interval"] for row in rows if row.get("period", "now") == "now"}
    return "handset_latency" if "handset_latency" in known else "report_lag"


def _reports(now: Row, before: Row | None) -> Card:
    reports, trend = now["reports"], None
    if before and before["reports"]:
        share = 100 * (reports - before["reports"]) / before["reports"]
        trend = Trend(f"{words.signed(share, 1)} %", f"{before['reports']:,}")
    delivered, failed = words.number(now["delivered"]), words.number(now["failed"])
    detail = f"{delivered} delivered, {failed} failed"
    return Card("Messages reported", words.number(reports), words.exact(reports), detail, trend)


def _rate(now: Row, before: Row | None, name: str) -> Card:
    label, detail = _RATES[name]
    rate = now.get(name)
    counts = {key: words.number(value) for key, value in now.items() if isinstance(value, int)}
    title = "" if rate is None else f"{100 * rate:.4f} %"
    if title and name == "reported_delivery_rate":
        title = f"{now['delivered']:,} of {now['reports']:,}: {title}"
    interval = f"{detail.format_map(counts)} {_interval(now, name)}"
    return Card(label, words.percent(rate), title, interval, _trend_of_rate(now, before, name))


def _interval(row: Row, name: str) -> str:
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    if low is None or high is None:
        return words.DASH
    digits = 1 if high - low > 0.002 else 2
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f} %"


def _trend_of_rate(now: Row, before: Row | None, name: str) -> Trend | None:
    """Better or worse only where the two intervals do not overlap: the rest may be chance."""
    if not before or now.get(name) is None or before[name] is None:
        return None
    tone, note = "even", "; the difference may be chance"
    if now["pending"] and name in ("delivery_rate", "receipt_rate"):
        note = f"; {now['pending']:,} reports are still pending"
    elif now[f"{name}_low"] > before[f"{name}_high"]:
        tone, note = "better", ""
    elif now[f"{name}_high"] < before[f"{name}_low"]:
        tone, note = "worse", ""
    was = f"{100 * before[name]:.2f} %"
    return Trend(words.points(now[name], before[name]), was, tone, note)


def _latency(figures: Figures) -> Card:
    rows = figures["latency_headline"]
    interval = main_interval(rows)
    periods = {row["period"]: row for row in rows if row["interval"] == interval}
    now, before = periods.get("now"), periods.get("before") if figures["comparable"] else None
    label = "Median delivery time" if interval == "handset_latency" else "Median report lag"
    if now is None:
        return Card(label, words.DASH, "", "no delivered message has both times")
    trend = None
    if before:
        here, there = ([float(row[name]) for name in ("p50_s", "p95_s")] for row in (now, before))
        text, tone = ("faster", "better") if here < there else ("slower", "worse")
        if here == there:
            text, tone = "unchanged", "even"
        was = f"{words.within(before['p50_s'])}, 95 % {words.within(before['p95_s'])}"
        trend = Trend(text, was, tone)
    return Card(
        label,
        words.within(now["p50_s"]).removeprefix("≤ "),
        f"of {now['n']:,} delivered messages",
        f"95 % {words.within(now['p95_s'])}, 99 % {words.within(now['p99_s'])}, "
        f"{INTERVALS[interval]}",
        trend,
    )


def _cause(figures: Figures) -> Card:
    label = "Most frequent failure"
    if not figures["causes"]:
        return Card(label, words.DASH, "", "no failures")
    top = figures["causes"][0]
    failed = sum(row["failures"] for row in figures["causes"])
    party = f"; cause: {top['party']}" if top["party"] else ""
    before, trend = top["share_before"], None
    if figures["comparable"] and before is not None:
        trend = Trend(words.points(top["share"], before), f"{100 * before:.1f} % of failures")
    return Card(
        label,
        words.label(top["category"]),
        f"{top['failures']:,} of {failed:,} failures",
        f"{words.percent(top['share'])} of {words.number(failed)} failures{party}",
        trend,
    )


def _reconciliation(state: dict[str, Any]) -> Card:
    counts = " + ".join(
        f"{words.number(state[name])} {name}"
        for name in ("messages", "duplicates", "conflicts", "rejected", "erased")
        if state[name] or name == "messages"
    )
    return Card(
        "Reconciliation",
        "balanced" if state["balanced"] else "not balanced",
        f"{state['records']:,} records received",
        f"all time: {words.number(state['records'])} received = {counts}",
        state="good" if state["balanced"] else "bad",
    )
