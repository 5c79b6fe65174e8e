"""One row a message: which report wins, what follows from it, and that arrival plays no part."""

import shutil
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from contract.envelope import Envelope
from contract.settings import Settings
from pipelines.load.load import load
from pipelines.models.warehouse import open_warehouse
from pipelines.runs.rebuild import rebuild
from tests.data_folder import (
    FIRST,
    fingerprint,
    form,
    land,
    land_bodies,
    push,
    record,
    settings_of,
    take,
    warehouse,
)
from tests.truth.reference import Report, outcomes, sms_status

LATER = {"user_receive_time": "2026-03-02 16:30:00"}


def row_of(settings: Settings, columns: str, sid: int = 1) -> tuple[Any, ...]:
    """Some columns of one message."""
    [row] = warehouse(settings, f"select {columns} from core.sms_status where sid = {sid}")
    return row


CONTESTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    # the report that loses, the report that wins
    ({"report_status": "FAIL", **LATER}, {}),  # SUCCESS over a later FAIL
    ({}, LATER),  # the later time
    ({"user_receive_time": None}, {}),  # a time over none
    ({"user_receive_time": "soon"}, {}),  # a time over an unreadable one
    ({"error_msg": None}, {}),  # a code over none
    ({"uid": "a"}, {"uid": "b"}),  # the greater uid
    ({"mobile": None}, {"mobile": "1"}),  # a mobile over none
    ({"uid": None}, {"uid": ""}),  # empty over null
    # what is compared first decides, whatever follows; of two texts the greater one wins
    ({"user_receive_time": "later", "error_msg": "Z"}, {"user_receive_time": "soon"}),
    ({"error_msg": "A", "error_detail": "b"}, {"error_msg": "B", "error_detail": "a"}),
    ({"error_detail": "a", "uid": "b"}, {"error_detail": "b", "uid": "a"}),
    ({"uid": "a", "mobile": "2"}, {"uid": "b", "mobile": "1"}),
    ({"mobile": "1"}, {"mobile": "2"}),
]


@pytest.mark.parametrize("swapped", [False, True], ids=["in order", "swapped"])
def test_which_report_wins(settings: Settings, *, swapped: bool) -> None:
    losers = [record(sid, **loser) for sid, (loser, _) in enumerate(CONTESTS)]
    winners = [record(sid, **winner) for sid, (_, winner) in enumerate(CONTESTS)]
    batches = [winners, losers] if swapped else [losers, winners]
    land_bodies(settings, [form(batch) for batch in batches])
    take(settings)
    columns = "uid, mobile, report_status, handset_time_raw, error_code, error_detail"
    names = ("uid", "mobile", "report_status", "user_receive_time", "error_msg", "error_detail")
    found = warehouse(
        settings, f"select {columns}, copies, conflicting from core.sms_status order by sid"
    )
    assert found == [(*(best[name] for name in names), 2, True) for best in winners]
    versions = """
        select sid, count(*), count(*) filter (where is_winner)
        from core.conflicting_reports group by sid order by sid
    """
    assert warehouse(settings, versions) == [(sid, 2, 1) for sid in range(len(CONTESTS))]


def test_a_success_days_after_a_failure_counts_on_the_day_it_was_delivered(
    settings: Settings,
) -> None:
    delivered = FIRST + timedelta(days=2)
    failure = record(1, report_status="FAIL", user_receive_time="2026-03-02 15:59:57")
    success = record(1, user_receive_time=f"{delivered + timedelta(hours=8):%Y-%m-%d %H:%M:%S}")
    reports = [push(form([failure]), 0), push(form([success]), 1, received_at=delivered)]
    land(settings, reports)
    take(settings)
    event_time, first = delivered.replace(tzinfo=None), FIRST.replace(tzinfo=None)
    columns = "event_time_utc, event_hour_utc, first_received_at_utc"
    assert row_of(settings, columns) == (event_time, event_time, first)
    days = "select day_utc, reports, delivered from marts.delivery_daily"
    assert warehouse(settings, days) == [(delivered.date(), 1, 1)]


def test_the_push_received_first_with_the_winning_content_stands_for_it(settings: Settings) -> None:
    """Ids need not ascend with reception, where files of several receivers come together."""
    late = {"user_receive_time": "2026-03-03 16:00:15"}  # a day and 5 s after its first push
    sent = [record(1, report_status="FAIL"), record(1, **late), record(1, **late)]
    pushes = [
        push(form([one]), 9 - n, received_at=FIRST + timedelta(seconds=10 * n))
        for n, one in enumerate(sent)
    ]
    land(settings, reversed(pushes))
    take(settings)
    first = FIRST.replace(tzinfo=None)
    columns = "push_id, first_received_at_utc, event_time_utc, report_lag_s, copies, conflicting"
    expected = (pushes[1].push_id, first, first, 10.0 - 86_415, 3, True)
    assert row_of(settings, columns) == expected
    counts = "accepted, conflicts, duplicates"
    assert warehouse(settings, f"select {counts} from raw.pushes order by received_at_utc") == [
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
    ]


RECEIVED = FIRST.replace(tzinfo=None)
TIMES: dict[str | None, tuple[datetime | None, datetime]] = {
    # as sent: handset_time_utc, event_time_utc
    "2014-03-17 22:55:21": (datetime(2014, 3, 17, 14, 55, 21), datetime(2014, 3, 17, 14, 55, 21)),
    "2009-12-31 23:59:59": (datetime(2009, 12, 31, 15, 59, 59), RECEIVED),
    "2010-01-01 08:00:00": (datetime(2010, 1, 1), datetime(2010, 1, 1)),
    "2026-03-03 16:00:00": (datetime(2026, 3, 3, 8), datetime(2026, 3, 3, 8)),
    "2026-03-03 16:00:01": (datetime(2026, 3, 3, 8, 0, 1), RECEIVED),
    "9999-12-31 23:59:59": (datetime(9999, 12, 31, 15, 59, 59), RECEIVED),
    None: (None, RECEIVED),
    "": (None, RECEIVED),
    "2026-02-30 10:00:00": (None, RECEIVED),
    "2026-03-02T10:00:00": (None, RECEIVED),
    "2026-03-02 24:00:00": (None, RECEIVED),
    "2026-03-02 10:00": (None, RECEIVED),
    "0000-00-00 00:00:00": (None, RECEIVED),
    " 2026-03-02 10:00:00": (None, RECEIVED),
}


def test_times(settings: Settings) -> None:
    batch = [record(sid, user_receive_time=sent) for sid, sent in enumerate(TIMES)]
    land_bodies(settings, [form(batch)])
    take(settings)
    columns = "handset_time_raw, handset_time_utc, event_time_utc"
    found = warehouse(settings, f"select {columns} from core.sms_status order by sid")
    assert found == [(sent, *expected) for sent, expected in TIMES.items()]


ZONES: dict[str, dict[str, datetime]] = {
    # the provider's zone: time as sent, the same in UTC
    "America/New_York": {
        "2026-01-15 12:00:00": datetime(2026, 1, 15, 17),
        "2026-07-15 12:00:00": datetime(2026, 7, 15, 16),
        "2026-11-01 01:30:00": datetime(2026, 11, 1, 5, 30),  # comes twice: the first
        "2026-03-08 02:30:00": datetime(2026, 3, 8, 7, 30),  # never comes
        "2026-03-08 03:30:00": datetime(2026, 3, 8, 7, 30),
    },
    "Australia/Lord_Howe": {"2026-04-05 01:45:00": datetime(2026, 4, 4, 14, 45)},  # half an hour
    "Antarctica/Troll": {"2026-10-25 02:30:00": datetime(2026, 10, 25, 0, 30)},  # two hours
}


@pytest.mark.parametrize(("zone", "times"), ZONES.items(), ids=ZONES)
def test_the_zone_of_the_provider_is_a_setting(
    tmp_path: Path, zone: str, times: dict[str, datetime]
) -> None:
    settings = settings_of(tmp_path, provider_timezone=zone)
    batch = [record(sid, user_receive_time=sent) for sid, sent in enumerate(times)]
    land_bodies(settings, [form(batch)])
    take(settings)
    columns = "handset_time_raw, handset_time_utc"
    assert dict(warehouse(settings, f"select {columns} from core.sms_status")) == times


CODES: dict[tuple[str, str | None], tuple[str, str | None, str, str]] = {
    # number, code: category, party, permanent, rule
    ("13900000000", "MK:0001"): ("invalid_number", "recipient", "yes", "operator"),
    ("13900000000", " mk : 0001 "): ("invalid_number", "recipient", "yes", "operator"),
    ("13900000000", "ＭＫ：０００１"): ("invalid_number", "recipient", "yes", "operator"),
    ("13900000000", "MK:000①\u00a0"): ("invalid_number", "recipient", "yes", "operator"),
    ("+93703334567", "000"): ("delivered", None, None, "other_operators"),
    ("13900000000", "EXPIRED"): ("expired", "network", "no", "any_operator"),
    ("+93703334567", "MK:0001"): ("invalid_number", "recipient", "yes", "other_operators"),
    ("13900000000", "MI:9999"): ("expired", "network", "no", "pattern"),
    ("13900000000", "EXPIRED_7777"): ("expired", "network", "no", "pattern"),
    ("13900000000", "BLACK-LIMIT"): ("blocklisted", "policy", "yes", "pattern"),  # the first of two
    ("13300000000", "004"): ("invalid_number", "recipient", "yes", "operator"),
    ("13900000000", "004"): ("recipient_unavailable", "recipient", "unknown", "any_operator"),
    ("+93703334567", "BLACK0"): ("unreachable", "recipient", "no", "other_operators"),
    ("+93703334567", "144"): ("unknown", None, "unknown", "none"),  # the others disagree
    ("+93703334567", "MI:9999"): ("unknown", None, "unknown", "none"),  # China Mobile's pattern
    ("+12125550100", "EXPIRED"): ("expired", "network", "no", "any_operator"),
    ("13900000000", "NEVER-SEEN"): ("unknown", None, "unknown", "none"),
    ("13900000000", None): ("unknown", None, "unknown", "none"),
    ("13900000000", ""): ("unknown", None, "unknown", "none"),
}


def test_what_a_failure_code_means(settings: Settings) -> None:
    batch = [
        record(sid, report_status="FAIL", mobile=mobile, error_msg=code)
        for sid, (mobile, code) in enumerate(CODES)
    ]
    land_bodies(settings, [form(batch)])
    take(settings)
    columns = "error_category, error_party, error_permanent, error_match"
    found = warehouse(
        settings, f"select mobile, error_code, {columns} from core.sms_status order by sid"
    )
    assert {row[:2]: row[2:] for row in found} == CODES


def test_the_same_bare_number_means_different_things_per_operator(settings: Settings) -> None:
    fail = {"report_status": "FAIL", "error_msg": "24"}
    mobiles = {1: "13900000000", 2: "13000000000", 3: "13300000000"}
    land_bodies(settings, [form([record(n, mobile=m, **fail) for n, m in mobiles.items()])])
    take(settings)
    rows = warehouse(
        settings,
        "select range_operator, error_category, error_match from core.sms_status order by sid",
    )
    assert [row[0] for row in rows] == ["china_mobile", "china_unicom", "china_telecom"]
    assert len({row[1:] for row in rows}) > 1


def test_success_is_never_judged_by_its_code(settings: Settings) -> None:
    codes = ["DELIVRD", "", None, "MK:0001"]
    failed = record(9, error_msg="MK:0001", report_status="FAIL")
    batch = [failed, *(record(n, error_msg=code) for n, code in enumerate(codes))]
    land_bodies(settings, [form(batch)])
    take(settings)
    columns = "error_category, error_party, error_permanent, error_match"
    rows = warehouse(settings, f"select distinct {columns} from core.sms_status where delivered")
    assert rows == [("delivered", None, None, None)]


def test_a_restored_backup_adds_nothing(settings: Settings) -> None:
    file = land_bodies(settings, [form([record(1), record(2)])])
    take(settings)
    before = fingerprint(settings)
    shutil.copy(file, file.with_name("backup.jsonl"))
    take(settings)
    assert fingerprint(settings) == before
    assert row_of(settings, "copies") == (1,)
    assert warehouse(settings, "select count(*), sum(records) from raw.pushes") == [(1, 2)]


# --- the result is a function of the set of pushes -------------------------------------------

texts = st.sampled_from([None, "", "a", "b"])
reports = st.fixed_dictionaries(
    {
        "sid": st.integers(1, 4),
        "uid": texts,
        "mobile": st.sampled_from(["15205201314", "+93703334567", None, "junk"]),
        "report_status": st.sampled_from(["SUCCESS", "FAIL"]),
        "user_receive_time": st.sampled_from(
            [None, "x", "2026-03-02 15:59:00", "2026-03-02 14:00:00", "2001-01-01 00:00:00"]
        ),
        "error_msg": st.sampled_from([None, "DELIVRD", "MK:0001", "??"]),
        "error_detail": texts,
    }
)


@st.composite
def histories(
    draw: st.DrawFn,
) -> tuple[list[tuple[Envelope, list[dict[str, Any]]]], list[list[int]]]:
    """Pushes, and runs: which pushes land before each, in any order, some more than once."""
    batches = draw(st.lists(st.lists(reports, min_size=1, max_size=3), min_size=1, max_size=6))
    seconds = draw(st.lists(st.integers(0, 7200), min_size=len(batches), max_size=len(batches)))
    pushes = [
        (push(form(batch), n, received_at=FIRST + timedelta(seconds=at)), batch)
        for n, (batch, at) in enumerate(zip(batches, seconds, strict=True))
    ]
    order = draw(st.permutations(range(len(pushes))))
    again = draw(st.lists(st.integers(0, len(pushes) - 1), max_size=3))
    landed = [*order, *again]
    cuts = sorted(draw(st.sets(st.integers(1, len(landed)), max_size=2)) | {0, len(landed)})
    runs = [landed[a:b] for a, b in pairwise(cuts)]
    return pushes, runs


@hypothesis_settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(histories())
def test_any_split_order_and_repetition_gives_what_the_reference_computes(
    tmp_path_factory: pytest.TempPathFactory,
    history: tuple[list[tuple[Envelope, list[dict[str, Any]]]], list[list[int]]],
) -> None:
    pushes, runs = history
    split = settings_of(tmp_path_factory.mktemp("split"))
    for n, indexes in enumerate(runs):
        for m, index in enumerate(indexes):
            land(split, [pushes[index][0]], f"{n}-{m}")
        take(split)
    whole = settings_of(tmp_path_factory.mktemp("whole"))
    land(whole, [envelope for envelope, _ in pushes])
    take(whole)

    found = [
        Report(envelope.received_at, envelope.push_id, position, fields)
        for envelope, batch in pushes
        for position, fields in enumerate(batch)
    ]
    expected = sms_status(found)
    columns = list(next(iter(expected.values())))
    query = f"select sid, {', '.join(columns)} from core.sms_status"
    for settings in (split, whole):
        rows = warehouse(settings, query)
        assert {row[0]: dict(zip(columns, row[1:], strict=True)) for row in rows} == expected
        assert len(rows) == len(expected)
        counts = warehouse(
            settings, "select push_id, accepted, duplicates, conflicts from raw.pushes"
        )
        assert {
            push_id: dict(zip(("accepted", "duplicates", "conflicts"), figures, strict=True))
            for push_id, *figures in counts
        } == outcomes(found)
        assert warehouse(settings, "select bool_and(balanced) from ops.ledger") == [(True,)]
    assert fingerprint(split) == fingerprint(whole)
    rebuilt = rebuild(split, "rebuild").after
    assert rebuilt is not None
    assert rebuilt["fingerprint"] == fingerprint(whole)


def test_a_push_sent_again_changes_counts_but_not_the_fingerprint(settings: Settings) -> None:
    body = form([record(1), record(2)])
    land(settings, [push(body, 0)], "a")
    take(settings)
    before = fingerprint(settings)
    land(settings, [push(body, 300)], "b")
    take(settings)
    assert fingerprint(settings) == before
    assert row_of(settings, "copies, conflicting") == (2, False)
    ledger = "select records, messages, duplicates, conflicts from ops.ledger order by sequence"
    assert warehouse(settings, ledger) == [(2, 2, 0, 0), (2, 0, 2, 0)]


def test_another_content_gives_another_fingerprint(tmp_path: Path) -> None:
    seen = set()
    for n, change in enumerate(({}, {"uid": None}, {"uid": ""}, {"error_detail": "x"}, LATER)):
        settings = settings_of(tmp_path / str(n))
        land_bodies(settings, [form([record(1, **change)])])
        take(settings)
        seen.add(fingerprint(settings))
    assert len(seen) == 5


def test_a_report_that_is_gone_gives_its_place_to_the_next(settings: Settings) -> None:
    """A landed file is replaced by another, and its day taken in again."""
    later = FIRST + timedelta(days=1)
    first = land(settings, [push(form([record(1)]), 1)], "first")
    land(settings, [push(form([record(1)]), 2, received_at=later)], "second")
    other_day = settings.landing / "yunpian" / "2026-03-03"
    other_day.mkdir()
    first.with_name(first.name.replace("first", "second")).rename(other_day / "second.jsonl")
    take(settings)
    counts = "select accepted, duplicates, rejected from raw.pushes order by received_at_utc"
    assert warehouse(settings, counts) == [(1, 0, 0), (0, 1, 0)]
    land(settings, [push(form([record("no sid")]), 1)], "first")
    with open_warehouse(settings) as con:
        load(con, settings, "again", days=[FIRST.date()])
    assert warehouse(settings, counts) == [(0, 0, 1), (1, 0, 0)]
    assert row_of(settings, "copies, first_received_at_utc") == (1, later.replace(tzinfo=None))
    law = "select balanced from ops.ledger order by sequence desc limit 1"
    assert warehouse(settings, law) == [(True,)]
