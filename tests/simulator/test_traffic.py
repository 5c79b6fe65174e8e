"""Messages: reproducible, in the shares that were asked for, to nobody's number."""

import re
from collections import Counter
from datetime import datetime
from itertools import islice, pairwise
from statistics import median
from zoneinfo import ZoneInfo

import pytest

from simulator.options import SimulationOptions
from simulator.traffic import Message, generate_messages

PLAN = SimulationOptions(messages=30_000, days=3, seed=7)
FICTIONAL = re.compile(
    r"1[3-9]\d0000\d{4}"  # Chinese: a real prefix, zeros, four digits
    r"|\+447700900\d{3}"  # Ofcom, for drama
    r"|\+1(212|312|415|617)55501\d{2}"  # North American plan, for fiction
    r"|\+3363998\d{4}"  # Arcep, for audiovisual works
    r"|\+93700000\d{3}"  # zeros after the prefix of the provider's sample
)


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return list(generate_messages(PLAN))


def share(hits: int, of: int) -> float:
    return hits / of


def test_the_same_plan_makes_the_same_messages(messages: list[Message]) -> None:
    assert list(islice(generate_messages(PLAN), 1000)) == messages[:1000]


def test_another_seed_makes_others_with_other_sids(messages: list[Message]) -> None:
    others = list(generate_messages(SimulationOptions(messages=3_000, days=3, seed=8)))
    assert not {m.sid for m in others} & {m.sid for m in messages}


@pytest.mark.parametrize("count", [0, 1, 99, 12_345])
@pytest.mark.parametrize("days", [0.01, 1.0, 2.5])
def test_exactly_the_asked_number_is_sent_within_the_period(count: int, days: float) -> None:
    sent = [m.sent_ms for m in generate_messages(SimulationOptions(messages=count, days=days))]
    start_ms = SimulationOptions().start.timestamp() * 1000
    assert len(sent) == count
    assert sent == sorted(sent)
    assert all(start_ms <= ms <= start_ms + days * 86_400_000 for ms in sent)


def test_sids_grow_with_gaps_and_need_more_than_a_float(messages: list[Message]) -> None:
    sids = [m.sid for m in messages]
    assert all(b > a for a, b in pairwise(sids))
    assert all(2**53 < sid < 2**63 for sid in sids)
    assert any(int(float(sid)) != sid for sid in sids)


def test_no_number_can_be_anybodys(messages: list[Message]) -> None:
    assert [m for m in messages if not FICTIONAL.fullmatch(m.subscriber.mobile)] == []
    assert all(re.fullmatch(r"\+[1-9]\d{9,14}", m.subscriber.e164) for m in messages)


def test_operators_and_countries_have_their_shares(messages: list[Message]) -> None:
    operators = Counter(m.subscriber.operator for m in messages)
    domestic = operators.total() - operators["foreign"]
    assert share(operators["foreign"], len(messages)) == pytest.approx(0.02, abs=0.004)
    assert share(operators["china_mobile"], domestic) == pytest.approx(0.56, abs=0.01)
    assert share(operators["china_telecom"], domestic) == pytest.approx(0.24, abs=0.01)
    assert share(operators["china_unicom"], domestic) == pytest.approx(0.20, abs=0.01)
    assert {m.subscriber.country for m in messages} == {"CN", "GB", "US", "FR", "AF"}


@pytest.mark.parametrize(("tag", "low", "high"), [("otp", 0.94, 0.97), ("marketing", 0.88, 0.94)])
def test_each_tag_is_delivered_as_often_as_it_should(
    messages: list[Message], tag: str, low: float, high: float
) -> None:
    outcomes = Counter(m.outcome for m in messages if m.tag == tag)
    rate = outcomes["delivered"] / (outcomes["delivered"] + outcomes["failed"])
    assert low - 0.005 < rate < high + 0.005


def test_some_are_never_reported_and_some_twice(messages: list[Message]) -> None:
    reports = Counter(len(m.reports) for m in messages)
    assert share(reports[0], len(messages)) == pytest.approx(0.005, abs=0.002)
    assert share(reports[2], len(messages)) == pytest.approx(0.003, abs=0.0015)
    for message in (m for m in messages if len(m.reports) == 2):
        assert [r.delivered for r in message.reports] == [False, True]
        assert message.reports[0].ready_ms < message.reports[1].ready_ms


def test_failures_have_their_parties(messages: list[Message]) -> None:
    parties = Counter(r.party for m in messages for r in m.reports if not r.delivered)
    assert share(parties["recipient"], parties.total()) == pytest.approx(0.60, abs=0.04)
    assert share(parties["policy"], parties.total()) == pytest.approx(0.20, abs=0.03)
    assert share(parties["network"], parties.total()) == pytest.approx(0.15, abs=0.03)
    assert 0 < share(parties["unknown"], parties.total()) < 0.015


def test_latency_is_log_normal_with_a_tail(messages: list[Message]) -> None:
    latencies = [
        r.handset_s - m.sent_ms / 1000
        for m in messages
        for r in m.reports
        if len(m.reports) == 1 and r.delivered and r.handset_s is not None
        if m.subscriber.operator == "china_mobile"
    ]
    assert median(latencies) == pytest.approx(4.0 - 0.5, abs=0.3)  # seconds are cut, on average 0.5
    slow = share(sum(s > 60 for s in latencies), len(latencies))
    assert 0.01 < slow < 0.02
    assert max(latencies) < 86_400


def test_one_operator_reports_minutes_only(messages: list[Message]) -> None:
    seconds: dict[str, Counter[bool]] = {}
    for message in messages:
        for report in message.reports:
            if report.handset_s is not None:
                counter = seconds.setdefault(message.subscriber.operator, Counter())
                counter[report.handset_s % 60 == 0] += 1
    assert set(seconds["china_unicom"]) == {True}
    assert share(seconds["china_mobile"][True], seconds["china_mobile"].total()) < 0.03


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "Asia/Kathmandu"])
def test_times_are_naive_in_the_providers_zone(zone: str) -> None:
    plan = SimulationOptions(messages=300, zone=zone)
    for message in generate_messages(plan):
        for report in message.reports:
            if report.handset_s is not None:
                assert report.receive_time is not None
                local = datetime.fromisoformat(report.receive_time).replace(tzinfo=ZoneInfo(zone))
                assert local.timestamp() == report.handset_s


def test_reports_are_ready_one_to_ten_seconds_later() -> None:
    for message in generate_messages(SimulationOptions(messages=500)):
        for report in message.reports:
            if report.handset_s is not None and message.subscriber.operator != "china_unicom":
                assert 1 <= report.ready_ms / 1000 - report.handset_s < 11


def test_days_have_a_curve_and_marketing_sleeps_at_night(messages: list[Message]) -> None:
    zone = ZoneInfo(PLAN.zone)
    hours = [(datetime.fromtimestamp(m.sent_ms / 1000, zone).hour, m.tag) for m in messages]
    by_hour = Counter(hour for hour, _ in hours)
    assert by_hour[20] > 5 * by_hour[3] > 0
    assert not {hour for hour, tag in hours if tag == "marketing"} & {22, 23, 0, 3, 7}


def test_uids_come_in_every_form(messages: list[Message]) -> None:
    kinds = Counter(type(m.uid).__name__ for m in messages)
    assert kinds["str"] > 0.85 * len(messages)
    assert share(kinds["NoneType"], len(messages)) == pytest.approx(0.10, abs=0.01)
    assert share(kinds["int"], len(messages)) == pytest.approx(0.03, abs=0.005)
    texts = {m.uid for m in messages if isinstance(m.uid, str)}
    assert "" in texts
    assert all(any(odd in text for text in texts) for odd in ("%", "+", "&", '"', "\\", "订", "😀"))


def test_details_are_chinese_at_home_and_missing_abroad(messages: list[Message]) -> None:
    for message in messages:
        for report in message.reports:
            if message.subscriber.operator == "foreign":
                assert report.error_detail is None
            else:
                assert report.error_detail
                assert not report.error_detail.isascii()


def test_success_never_says_more_than_delivrd(messages: list[Message]) -> None:
    reports = [r for m in messages for r in m.reports]
    assert {r.error_msg for r in reports if r.delivered} == {"DELIVRD", "", None}
    assert not {r.error_msg for r in reports if not r.delivered} & {"DELIVRD", "", None}
