"""True answers to the questions that need no send log."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from itertools import pairwise
from statistics import median
from typing import Any

from simulator.damage import PushKind
from simulator.schedule import Push
from tests.questions.world import Rows, World, answers, group, last, month
from tests.truth.arithmetic import rate, wilson
from tests.truth.delivery import hour_of
from tests.truth.latency import BOUNDS_S
from tests.truth.messages import Report, naive

Parameters = Mapping[str, str]


def delivered(reports: list[Report]) -> int:
    return sum(report.delivered for report in reports)


@answers("delivery_by_day")
def delivery_by_day(world: World, given: Parameters) -> Rows:
    unripe = {
        key[0]: False for key in world.traffic.figures(world.sends).tables["marts.delivery_daily"]
    }
    for key, row in world.traffic.figures(world.sends).tables["marts.delivery_daily"].items():
        unripe[key[0]] |= row["provisional"] and row["reports"] > 0
    days = group(world.reports, lambda report: report.event_time.date())
    return [
        (
            day,
            len(found),
            delivered(found),
            rate(delivered(found), len(found)),
            *wilson(delivered(found), len(found)),
            unripe[day],
        )
        for day, found in sorted(days.items())
    ]


@answers("delivery_by_operator")
def delivery_by_operator(world: World, given: Parameters) -> Rows:
    since = date.fromisoformat(given.get("since", "2010-01-01"))
    recent = [report for report in world.reports if report.event_time.date() >= since]
    cuts = group(recent, lambda report: (report.country, report.operator))
    rows = [
        (
            *cut,
            len(found),
            rate(delivered(found), len(found)),
            *wilson(delivered(found), len(found)),
        )
        for cut, found in cuts.items()
    ]
    return sorted(rows, key=lambda row: (row[3], -row[2], last(row[0]), last(row[1])))


@answers("worst_hours")
def worst_hours(world: World, given: Parameters) -> Rows:
    hours = group(world.reports, lambda report: hour_of(report.event_time))
    rows = [
        (hour, len(found), len(found) - delivered(found), rate(delivered(found), len(found)))
        for hour, found in hours.items()
        if len(found) >= int(given.get("reports", "20"))
    ]
    return sorted(rows, key=lambda row: (row[3], row[0]))[:10]


@answers("failures_by_party")
def failures_by_party(world: World, given: Parameters) -> Rows:
    kinds = Counter((one.party, one.category, one.permanent) for _, one in world.failures)
    rows = [(*kind, n, rate(n, len(world.failures))) for kind, n in kinds.items()]
    return sorted(rows, key=lambda row: (-row[3], row[1], last(row[2])))


@answers("top_failure_codes")
def top_failure_codes(world: World, given: Parameters) -> Rows:
    wanted = [
        (report, one)
        for report, one in world.failures
        if given.get("operator", report.operator) == report.operator
    ]
    codes = group(wanted, lambda pair: (pair[0].operator, pair[0].error_code, pair[1].category))
    rows = [
        (
            *code,
            len(found),
            min((r.error_detail for r, _ in found if r.error_detail is not None), default=None),
        )
        for code, found in codes.items()
    ]
    return sorted(rows, key=lambda row: (-row[3], last(row[0]), last(row[1])))[:20]


@answers("wasted_messages")
def wasted_messages(world: World, given: Parameters) -> Rows:
    months = group(world.failures, lambda pair: month(pair[0].event_time))
    return [
        (
            when,
            sum(one.category == "invalid_number" for _, one in found),
            sum(one.permanent == "yes" for _, one in found),
            len(found),
        )
        for when, found in sorted(months.items())
    ]


@answers("unexplained_failures")
def unexplained_failures(world: World, given: Parameters) -> Rows:
    rows = []
    for operator, found in group(world.failures, lambda pair: pair[0].operator).items():
        unknown = sum(one.category == "unknown" for _, one in found)
        unmapped = sum(one.match == "none" for _, one in found)
        rows.append((operator, len(found), unknown, unmapped, rate(unknown, len(found))))
    return sorted(rows, key=lambda row: (-row[4], last(row[0])))


@answers("report_lag_by_day")
def report_lag_by_day(world: World, given: Parameters) -> Rows:
    arrived = [one for one in world.reports if one.delivered and one.lag_us is not None]
    rows: Rows = []
    for day, found in sorted(group(arrived, lambda one: one.event_time.date()).items()):
        lags = sorted(one.lag_us / 1e6 for one in found)
        # the exact percentile (nearest rank) lies in the bucket that is named
        exact = [lags[-(-len(lags) * share // 100) - 1] for share in (50, 95, 99)]
        bounds = [next((b for b in BOUNDS_S if lag <= b), float("inf")) for lag in exact]
        rows.append((day, len(lags), *bounds))
    return rows


@answers("feed_by_day")
def feed_by_day(world: World, given: Parameters) -> Rows:
    days: dict[date, Counter[str]] = {}
    seen: dict[int, set[int]] = {}
    landed = zip(world.traffic.envelopes, world.traffic.pushes, strict=True)
    for envelope, push in sorted(landed, key=lambda one: (one[0].received_at, one[0].push_id)):
        day = days.setdefault(naive(envelope.received_at).date(), Counter())
        day.update(pushes=1, records=push.records, rejected=push.rejected)
        day.update(undecodable=_nothing_came_out(push))
        for report in push.reports:
            versions = seen.setdefault(report // 2, set())
            day.update(duplicates=report % 2 in versions)
            day.update(conflicts=bool(versions) and report % 2 not in versions)
            versions.add(report % 2)
    return [
        (
            when,
            n["pushes"],
            n["records"],
            rate(n["duplicates"], n["records"]),
            n["conflicts"],
            n["rejected"],
            n["undecodable"],
        )
        for when, n in sorted(days.items())
    ]


def _nothing_came_out(push: Push) -> bool:
    """Whether the whole push is one rejected record: no array, or one cut in its first element."""
    broken = push.kind in (PushKind.NOT_JSON, PushKind.NOT_AN_ARRAY, PushKind.TRUNCATED)
    return broken and push.records == push.rejected == 1


@answers("feed_silence")
def feed_silence(world: World, given: Parameters) -> Rows:
    times = world.receptions
    gaps: list[tuple[datetime, datetime, float]] = [
        (before, after, (after - before).total_seconds()) for before, after in pairwise(times)
    ]
    return [*sorted(gaps, key=lambda gap: (-gap[2], gap[0]))[:10]]


@answers("changed_outcomes")
def changed_outcomes(world: World, given: Parameters) -> Rows:
    later = world.traffic.second_thoughts
    waits: list[Any] = [(second - first).total_seconds() for first, second in later if first]
    return [(len(later), median(waits))]


@answers("messages_by_country")
def messages_by_country(world: World, given: Parameters) -> Rows:
    cuts = group(world.reports, lambda report: (month(report.event_time), report.country))
    rows = [(*cut, len(found), delivered(found)) for cut, found in cuts.items()]
    return sorted(rows, key=lambda row: (row[0], -row[2], last(row[1])))
