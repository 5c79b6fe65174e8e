"""The headline: what became of the messages, each figure with its base and its change."""

from dataclasses import dataclass
from typing import Any

from pipelines.publish.report import words
from pipelines.publish.report.figures import Figures, Row


@dataclass(frozen=True, slots=True)
class Change:
    """What is different from the period before."""

    text: str
    tone: str = "even"
    """better, worse or even; said in words and by a sign, too, for colour is not for everyone."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One figure of the headline."""

    label: str
    value: str
    title: str
    """The exact value."""
    detail: str
    change: Change | None
    state: str = ""
    """good or bad, where the card is about being in order; else nothing."""


def cards(figures: Figures) -> list[Card]:
    """All of them, in the order in which people ask."""
    now = figures["headline"].get("now") or {}
    before = figures["headline"].get("before") if figures["comparable"] else None
    found = [_reports(now, before), _delivered(now, before)]
    if now.get("sent"):
        found += [_of_sent(now, before, *one) for one in _RATES_OF_SENT]
    return [*found, _latency(figures), _cause(figures), _books(figures["state"])]


_RATES_OF_SENT = (
    ("Delivered of sent", "delivery_rate", "{sent_delivered} of {sent} sent"),
    ("Reported of sent", "receipt_rate", "{pending} waiting, {unknown} never reported"),
    ("Delivered of possible", "effective_rate", "without those waiting or failed at the recipient"),
)


def main_interval(figures: Figures) -> str:
    """The latency that is shown first: the handset's where the send log makes it known."""
    known = {row["interval"] for row in figures["latency_headline"] if row["period"] == "now"}
    return "handset_latency" if "handset_latency" in known else "report_lag"


INTERVALS = {
    "report_lag": "from the handset to us",
    "handset_latency": "from sending to the handset",
    "end_to_end": "from sending to our knowing",
}


def _reports(now: Row, before: Row | None) -> Card:
    reports = now.get("reports") or 0
    return Card(
        "Messages reported",
        words.number(reports),
        words.exact(reports),
        f"{words.number(now.get('delivered') or 0)} delivered, "
        f"{words.number(now.get('failed') or 0)} failed",
        _change_of_count(reports, before["reports"] if before else None),
    )


def _change_of_count(now: int, before: int | None) -> Change | None:
    if not before:
        return None
    return Change(f"{words.signed(100 * (now - before) / before, 1)} %", title=_was(f"{before:,}"))


def _was(text: str) -> str:
    return f"{text} in the period before"


def _delivered(now: Row, before: Row | None) -> Card:
    rate = now.get("reported_delivery_rate")
    return Card(
        "Delivered of reported",
        words.percent(rate),
        _exact_share(now.get("delivered"), now.get("reports"), rate),
        f"95 % interval {_interval(now, 'reported_delivery_rate')}",
        _change_of_rate(now, before, "reported_delivery_rate"),
    )


def _of_sent(now: Row, before: Row | None, label: str, name: str, detail: str) -> Card:
    counts = {key: words.number(value) for key, value in now.items() if isinstance(value, int)}
    return Card(
        label,
        words.percent(now[name]),
        "" if now[name] is None else f"{100 * now[name]:.4f} %",
        f"{detail.format_map(counts)}; {_interval(now, name)}",
        _change_of_rate(now, before, name),
    )


def _interval(row: Row, name: str) -> str:
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    if low is None or high is None:
        return words.DASH
    digits = 1 if high - low > 0.002 else 2
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f} %"


def _exact_share(part: int | None, whole: int | None, rate: float | None) -> str:
    return "" if rate is None else f"{part:,} of {whole:,}: {100 * rate:.4f} %"


def _change_of_rate(now: Row, before: Row | None, name: str) -> Change | None:
    """Better or worse only where the two intervals do not touch: the rest may be chance."""
    if not before or now.get(name) is None or before[name] is None:
        return None
    was = f"{100 * before[name]:.2f} %"
    if now["pending"] and name in ("delivery_rate", "receipt_rate"):
        waiting = f"; {now['pending']:,} reports may still come"
        return Change(words.points(now[name], before[name]), title=_was(was) + waiting)
    tone = "even"
    if now[f"{name}_low"] > before[f"{name}_high"]:
        tone = "better"
    elif now[f"{name}_high"] < before[f"{name}_low"]:
        tone = "worse"
    chance = "; may be chance" if tone == "even" else ""
    return Change(
        words.points(now[name], before[name]),
        tone,
        _was(was) + chance,
    )


def _latency(figures: Figures) -> Card:
    interval = main_interval(figures)
    rows = {
        row["period"]: row for row in figures["latency_headline"] if row["interval"] == interval
    }
    now, before = rows.get("now"), rows.get("before") if figures["comparable"] else None
    label = "Half are there within" if interval == "handset_latency" else "Half are known within"
    if now is None:
        return Card(label, words.DASH, "", "no delivered message with both times", None)
    return Card(
        label,
        words.within(now["p50_s"]).removeprefix("≤ "),
        f"over {now['n']:,} delivered messages",
        f"95 % {words.within(now['p95_s'])}, 99 % {words.within(now['p99_s'])} "
        f"{INTERVALS[interval]}",
        _change_of_latency(now, before),
    )


def _change_of_latency(now: Row, before: Row | None) -> Change | None:
    if before is None:
        return None
    size = [float(row[name]) for name in ("p50_s", "p95_s") for row in (now, before)]
    tone = "better" if size[::2] < size[1::2] else "worse" if size[::2] > size[1::2] else "even"
    was = f"{words.within(before['p50_s'])}, 95 % {words.within(before['p95_s'])}"
    sign = {"better": "faster", "worse": "slower", "even": "as before"}[tone]
    return Change(sign, tone, _was(was))


def _cause(figures: Figures) -> Card:
    if not figures["causes"]:
        return Card("Most frequent failure", words.DASH, "", "nothing failed", None)
    top = figures["causes"][0]
    before = top["share_before"] if figures["comparable"] else None
    failed = sum(row["failures"] for row in figures["causes"])
    lies = f"; lies with the {top['party']}" if top["party"] else ""
    return Card(
        "Most frequent failure",
        words.label(top["category"]),
        f"{top['failures']:,} of {failed:,} failures",
        f"{words.percent(top['share'])} of {words.number(failed)} failures{lies}",
        None
        if before is None
        else Change(
            words.points(top["share"], before), title=_was(f"{100 * before:.1f} % of failures")
        ),
    )


def _books(state: dict[str, Any]) -> Card:
    gone = " + ".join(
        f"{words.number(state[name])} {name}"
        for name in ("messages", "duplicates", "conflicts", "rejected", "erased")
        if state[name] or name == "messages"
    )
    return Card(
        "The books, over all time",
        "balanced" if state["balanced"] else "not balanced",
        f"{state['records']:,} records received",
        f"{words.number(state['records'])} received = {gone}",
        None,
        "good" if state["balanced"] else "bad",
    )
