"""The headline: the figures people ask for first, each with its base and its trend."""

from dataclasses import dataclass
from typing import Any

from pipelines.publish.report import words
from pipelines.publish.report.figures import Figures, Row


@dataclass(frozen=True, slots=True)
class Trend:
    """How a figure differs from the previous period."""

    text: str
    tone: str = "even"
    """better, worse or even; shown by words and a sign as well, because not all see colours."""
    title: str = ""


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
_RATES_OF_SENT = (
    ("Delivery rate of sent", "delivery_rate", "{sent_delivered} of {sent} sent"),
    ("Receipt rate", "receipt_rate", "{pending} pending, {unknown} never reported"),
    ("Effective delivery rate", "effective_rate", "excluding pending and recipient-side failures"),
)


def cards(figures: Figures) -> list[Card]:
    """All cards, in the order in which they are shown."""
    now = figures["headline"].get("now") or {}
    before = figures["headline"].get("before") if figures["comparable"] else None
    sent = _RATES_OF_SENT if now.get("sent") else ()
    return [
        _reports(now, before),
        _delivered(now, before),
        *(_of_sent(now, before, *rate) for rate in sent),
        _latency(figures),
        _cause(figures),
        _reconciliation(figures["state"]),
    ]


def main_interval(figures: Figures) -> str:
    """The latency that is shown: the handset's where the send log makes it known."""
    known = {row["interval"] for row in figures["latency_headline"] if row["period"] == "now"}
    return "handset_latency" if "handset_latency" in known else "report_lag"


def _reports(now: Row, before: Row | None) -> Card:
    reports = now.get("reports") or 0
    trend = None
    if before and before["reports"]:
        share = 100 * (reports - before["reports"]) / before["reports"]
        trend = Trend(f"{words.signed(share, 1)} %", title=_was(f"{before['reports']:,}"))
    return Card(
        "Messages reported",
        words.number(reports),
        words.exact(reports),
        f"{words.number(now.get('delivered') or 0)} delivered, "
        f"{words.number(now.get('failed') or 0)} failed",
        trend,
    )


def _was(text: str) -> str:
    return f"{text} in the previous period"


def _delivered(now: Row, before: Row | None) -> Card:
    name = "reported_delivery_rate"
    rate = now.get(name)
    return Card(
        "Delivery rate of reported",
        words.percent(rate),
        "" if rate is None else f"{now['delivered']:,} of {now['reports']:,}: {100 * rate:.4f} %",
        f"95 % interval {_interval(now, name)}",
        _trend_of_rate(now, before, name),
    )


def _of_sent(now: Row, before: Row | None, label: str, name: str, detail: str) -> Card:
    counts = {key: words.number(value) for key, value in now.items() if isinstance(value, int)}
    return Card(
        label,
        words.percent(now[name]),
        "" if now[name] is None else f"{100 * now[name]:.4f} %",
        f"{detail.format_map(counts)}; {_interval(now, name)}",
        _trend_of_rate(now, before, name),
    )


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
    was = _was(f"{100 * before[name]:.2f} %")
    return Trend(words.points(now[name], before[name]), tone, was + note)


def _latency(figures: Figures) -> Card:
    interval = main_interval(figures)
    rows = {
        row["period"]: row for row in figures["latency_headline"] if row["interval"] == interval
    }
    now, before = rows.get("now"), rows.get("before") if figures["comparable"] else None
    label = "Median delivery time" if interval == "handset_latency" else "Median report lag"
    if now is None:
        return Card(label, words.DASH, "", "no delivered message has both times")
    return Card(
        label,
        words.within(now["p50_s"]).removeprefix("≤ "),
        f"of {now['n']:,} delivered messages",
        f"95 % {words.within(now['p95_s'])}, 99 % {words.within(now['p99_s'])}, "
        f"{INTERVALS[interval]}",
        _trend_of_latency(now, before),
    )


def _trend_of_latency(now: Row, before: Row | None) -> Trend | None:
    if before is None:
        return None
    here, there = ([float(row[name]) for name in ("p50_s", "p95_s")] for row in (now, before))
    text, tone = "unchanged", "even"
    if here != there:
        text, tone = ("faster", "better") if here < there else ("slower", "worse")
    was = f"{words.within(before['p50_s'])}, 95 % {words.within(before['p95_s'])}"
    return Trend(text, tone, _was(was))


def _cause(figures: Figures) -> Card:
    label = "Most frequent failure"
    if not figures["causes"]:
        return Card(label, words.DASH, "", "no failures")
    top = figures["causes"][0]
    failed = sum(row["failures"] for row in figures["causes"])
    party = f"; cause: {top['party']}" if top["party"] else ""
    before = top["share_before"] if figures["comparable"] else None
    trend = None
    if before is not None:
        was = _was(f"{100 * before:.1f} % of failures")
        trend = Trend(words.points(top["share"], before), title=was)
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
