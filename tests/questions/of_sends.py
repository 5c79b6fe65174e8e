"""True answers to the questions over what was sent."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.questions.world import Rows, World, answers, group, last, month
from tests.truth.arithmetic import percentile, rate
from tests.truth.codes import meaning
from tests.truth.delivery import MATURE_AFTER
from tests.truth.messages import Report, Send, microseconds
from tests.truth.numbers import owner

Parameters = Mapping[str, str]
Pair = tuple[Send, Report | None]


def cut(pair: Pair) -> tuple[str | None, str | None]:
    """Country and operator: of the reported number, else of the one in the log."""
    send, report = pair
    if report:
        return report.country, report.operator
    return owner(send.mobile) if send.mobile else (None, None)


def counted_at(pair: Pair) -> datetime:
    return pair[1].event_time if pair[1] else pair[0].sent_at


def lost(world: World, pair: Pair) -> bool:
    return pair[1] is None and world.as_of - pair[0].sent_at >= MATURE_AFTER


def failed_at_recipient(report: Report | None) -> bool:
    if report is None or report.delivered:
        return False
    return meaning(report.operator, report.error_code).party in ("recipient", "handset")


@answers("delivery_of_sent")
def delivery_of_sent(world: World, given: Parameters) -> Rows:
    marts = world.traffic.figures(world.sends).tables["marts.delivery_daily"]
    unripe: Counter[date] = Counter()
    for key, row in marts.items():
        unripe[key[0]] += row["provisional"] and (row["sent"] or 0) > 0
    rows: Rows = []
    for day, found in sorted(group(world.sent, lambda pair: counted_at(pair).date()).items()):
        arrived = sum(report is not None and report.delivered for _, report in found)
        known = sum(report is not None for _, report in found)
        waiting = sum(report is None and not lost(world, (send, report)) for send, report in found)
        cannot = sum(failed_at_recipient(report) for _, report in found)
        rows.append(
            (
                day,
                len(found),
                rate(arrived, len(found)),
                rate(known, len(found)),
                rate(arrived, len(found) - waiting - cannot),
                unripe[day] > 0,
            )
        )
    return rows


@answers("missing_reports")
def missing_reports(world: World, given: Parameters) -> Rows:
    rows = []
    for key, found in group(world.sent, lambda one: (month(counted_at(one)), *cut(one))).items():
        unknown = sum(lost(world, pair) for pair in found)
        if unknown:
            rows.append((*key, len(found), unknown, rate(unknown, len(found))))
    return sorted(rows, key=lambda row: (-row[4], row[0], last(row[1]), last(row[2])))


@answers("waiting_now")
def waiting_now(world: World, given: Parameters) -> Rows:
    waiting = [one for one in world.sent if one[1] is None and not lost(world, one)]
    rows = []
    for operator, found in group(waiting, lambda one: cut(one)[1]).items():
        oldest = min(send.sent_at for send, _ in found)
        wait = (world.as_of - oldest) / timedelta(seconds=1)
        rows.append((operator, len(found), oldest, wait))
    return sorted(rows, key=lambda row: (-row[1], last(row[0])))


def handset_latencies(world: World, tag: str | None) -> list[tuple[Report, int]]:
    return [
        (report, microseconds(send.sent_at, report.handset_time))
        for send, report in world.sent
        if report and report.delivered and report.handset_time and tag in (None, send.tag)
    ]


@answers("handset_latency_by_operator")
def handset_latency_by_operator(world: World, given: Parameters) -> Rows:
    rows: list[tuple[Any, ...]] = []
    measured = handset_latencies(world, given.get("tag"))
    for operator, found in group(measured, lambda one: one[0].operator).items():
        values = sorted(value for _, value in found)
        p50, p95 = (percentile(values, Fraction(n, 100)) / 1_000_000 for n in (50, 95))
        negative = sum(value < 0 for value in values)
        rows.append((operator, len(values), negative, float(p50), float(p95)))
    return sorted(rows, key=lambda row: (-row[4], last(row[0])))


@answers("delivered_in_time")
def delivered_in_time(world: World, given: Parameters) -> Rows:
    limit = float(given.get("seconds", "30"))
    rows = []
    for tag, found in group(world.sent, lambda pair: pair[0].tag).items():
        if given.get("tag", tag) != tag:
            continue
        in_time = sum(
            report is not None
            and report.delivered
            and report.handset_time is not None
            and microseconds(send.sent_at, report.handset_time) <= limit * 1_000_000
            for send, report in found
        )
        rows.append((tag, len(found), in_time, rate(in_time, len(found))))
    return sorted(rows, key=lambda row: (row[3], last(row[0])))


@answers("worst_tags")
def worst_tags(world: World, given: Parameters) -> Rows:
    known = [(send, report) for send, report in world.sent if report and send.tag is not None]
    rows = []
    for tag, found in group(known, lambda pair: pair[0].tag).items():
        failed = [meaning(one.operator, one.error_code) for _, one in found if not one.delivered]
        kinds = Counter(one.category for one in failed)
        most = min(kinds, key=lambda kind: (-kinds[kind], kind), default=None)
        rows.append(
            (
                tag,
                len(found),
                rate(len(found) - len(failed), len(found)),
                rate(sum(one.party == "policy" for one in failed), len(found)),
                most,
            )
        )
    return sorted(rows, key=lambda row: (row[2], row[0]))


@answers("send_log_quality")
def send_log_quality(world: World, given: Parameters) -> Rows:
    received = Counter(world.sends)
    chosen = {
        send: "uid" if send.sid is None else "sid" for send in world.attribution.by_sid.values()
    }
    chosen |= dict.fromkeys(world.attribution.unreported, "none")
    kinds: Counter[str] = Counter()
    copies: Counter[str] = Counter()
    for send, times in received.items():
        kind = chosen.get(send, "ambiguous" if send.sid is None else "repeated")
        kinds[kind] += 1
        copies[kind] += times
    rows = [(kind, n, copies[kind], rate(n, len(received))) for kind, n in kinds.items()]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


@answers("end_to_end_by_hour")
def end_to_end_by_hour(world: World, given: Parameters) -> Rows:
    marts = world.traffic.figures(world.sends).tables["marts.latency_hourly"]
    known = {key: row for key, row in marts.items() if key[3] == "end_to_end"}
    latest = max(key[0].date() for key in known)
    day = date.fromisoformat(given["day"]) if "day" in given else latest
    rows = [
        (*key[:3], row["n"], row["p50_s"], row["p95_s"], row["max_s"])
        for key, row in known.items()
        if key[0].date() == day
    ]
    return sorted(rows, key=lambda row: (row[0], last(row[1]), last(row[2])))
