"""The send log: any format, any order; what it switches on, and that it touches nothing else."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from contract.envelope import Envelope
from contract.settings import Settings
from pipelines.models.warehouse import open_warehouse
from pipelines.runs.rebuild import rebuild
from pipelines.runs.status import read_status
from pipelines.sends.files import bring_in
from pipelines.verify import verify
from simulator.options import SimulationOptions
from simulator.simulate import iter_pushes
from tests.data_folder import (
    FIRST,
    ask,
    fingerprint,
    form,
    land,
    push,
    record,
    run,
    settings_of,
    take,
    warehouse,
)
from tests.truth.reference import Report, sms_status
from tests.truth.send_reference import (
    COUNTS,
    SEND_COUNTS,
    Model,
    Place,
    Send,
    bucket,
    nearest_rank,
    percentile,
)

NOW = FIRST.replace(tzinfo=None)
HISTORIES = int(os.environ.get("DLR_TEST_HISTORIES", "4"))
HEAD = "sid,uid,sent_at,tag,mobile\n"
RATES = ("reported_delivery_rate", "delivery_rate", "receipt_rate", "effective_rate")


def send(settings: Settings, name: str, content: str | bytes) -> Path:
    """Put a file of the send log into the folder."""
    path = settings.sends / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def sends(settings: Settings, columns: str = "sid, uid, sent_at_utc, tag, mobile") -> list[Any]:
    return warehouse(settings, f"select {columns} from core.sends order by all")


def rejected(settings: Settings) -> list[Any]:
    columns = "position, reason, field, value"
    return warehouse(settings, f"select {columns} from raw.rejected_sends order by all")


# --- formats ---------------------------------------------------------------------------------

Row = tuple[int | None, str | None, datetime, str | None, str | None]


def rows_of(n: int) -> list[Row]:
    """Three sends that the ``n``-th file holds, and no other."""
    at = datetime(2026, 3, 2, 7, 59, 50)
    return [
        (2**63 - 1 - n, f"订单 {n}", at.replace(microsecond=123456), "006", "+8613900000000"),
        (7000 + n, None, at.replace(second=51), None, None),
        (None, f'say "x", {n}', at.replace(second=52, microsecond=500000), "a;b", "07700 900123"),
    ]


def csv_text(rows: list[Row], delimiter: str = ",", head: str | None = None) -> str:
    def cell(value: object) -> str:
        text = "" if value is None else str(value).replace('"', '""')
        return f'"{text}"' if any(mark in text for mark in ',;\t"') else text

    lines = [delimiter.join(map(cell, row)) for row in rows]
    return "\n".join([(head or HEAD).strip().replace(",", delimiter), *lines]) + "\n"


def json_text(rows: list[Row]) -> str:
    names = HEAD.strip().split(",")
    lines = [dict(zip(names, row, strict=True)) for row in rows]
    return "".join(json.dumps(line, default=str, ensure_ascii=False) + "\n" for line in lines)


def other_order(rows: list[Row]) -> str:
    (sid, uid, *_), (other, *_), (_, quoted, *_) = rows
    return (
        "price,tag,sent_at,mobile,sid,uid\n"
        f"1,006,2026-03-02T07:59:50.123456Z,+8613900000000,{sid},{uid}\n"
        f"1,,2026-03-02 15:59:51+08:00,,00{other},\n"
        f'1,a;b,1772438392.5,07700 900123,,"{str(quoted).replace(chr(34), chr(34) * 2)}"\n'
    )


def texts(rows: list[Row]) -> str:
    sid = str(rows[0][0])
    return json_text(rows).replace(sid, f'"{sid}"')


FORMATS: dict[str, tuple[str, Callable[[list[Row]], str | bytes]]] = {
    "comma": ("csv", csv_text),
    "semicolon": ("csv", lambda rows: csv_text(rows, ";")),
    "tab": ("tsv", lambda rows: csv_text(rows, "\t")),
    "byte-order mark": ("csv", lambda rows: b"\xef\xbb\xbf" + csv_text(rows).encode()),
    "byte-order mark, then a blank line": (
        "csv",
        lambda rows: b"\xef\xbb\xbf\n" + csv_text(rows).encode(),
    ),
    "gb18030": ("csv", lambda rows: csv_text(rows).encode("gb18030")),
    "carriage returns": ("txt", lambda rows: csv_text(rows).replace("\n", "\r\n")),
    "names as people write them": (
        "csv",
        lambda rows: csv_text(rows, head='SID," Uid ",Sent_At ,TAG,mobile'),
    ),
    "blank lines and no end": (
        "csv",
        lambda rows: "\n" + csv_text(rows).replace("\n", "\n\n").strip(),
    ),
    "surplus commas": (
        "csv",
        lambda rows: csv_text(rows).replace("\n", ",,\n").replace("mobile,,", "mobile"),
    ),
    "sub/folder/another order, other columns": ("csv", other_order),
    "json lines": ("jsonl", json_text),
    "json lines, escaped": ("ndjson", lambda rows: json_text(rows).replace("订", "\\u8ba2")),
    "json lines, texts": ("jsonl", texts),
    "json lines, gb18030": ("jsonl", lambda rows: json_text(rows).encode("gb18030")),
    "json lines, odd blanks": (
        "jsonl",
        lambda rows: "\n  " + json_text(rows).replace("\n", " \r\n\r\n"),
    ),
}


def parquet(rows: list[Row], kind: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=HEAD.strip().split(","))
    frame["sid"] = pd.array([row[0] for row in rows], dtype="Int64")
    times = pd.to_datetime(frame["sent_at"])
    frame["sent_at"] = {
        "naive": times,
        "zone": times.dt.tz_localize("UTC").dt.tz_convert("Asia/Shanghai"),
        "texts": times.astype(str),
        "epoch": times.astype("datetime64[us]").astype("int64"),
    }[kind]
    return frame.rename(columns={"sid": " SID"})


def test_every_format_gives_its_rows(settings: Settings) -> None:
    """Each in a file of its own, and Parquet keeps digits and zones."""
    kinds = ("naive", "zone", "texts", "epoch")
    expected = {}
    for n, (name, (suffix, text)) in enumerate(FORMATS.items()):
        expected[f"{name}.{suffix}"] = rows_of(n)
        send(settings, f"{name}.{suffix}", text(rows_of(n)))
    for n, kind in enumerate(kinds, start=len(FORMATS)):
        expected[f"{kind}.parquet"] = rows_of(n)
        parquet(rows_of(n), kind).to_parquet(send(settings, f"{kind}.parquet", b""))
    take(settings)
    assert rejected(settings) == []
    found = sends(settings)
    assert {name: [row for row in rows if row not in found] for name, rows in expected.items()} == {
        name: [] for name in expected
    }
    assert len(found) == 3 * len(expected)
    assert verify(settings).findings == []


TIMES: dict[str, datetime | None] = {
    # as written, in a log whose zone is New York: when it was
    "2026-03-02 07:59:50": datetime(2026, 3, 2, 12, 59, 50),
    "2026-03-02T07:59:50Z": datetime(2026, 3, 2, 7, 59, 50),
    "2026-03-02T07:59:50.1234567+00:00": datetime(2026, 3, 2, 7, 59, 50, 123456),
    "2026-03-02 07:59:50 -0530": datetime(2026, 3, 2, 13, 29, 50),
    "2026-03-02 07:59:50+08": datetime(2026, 3, 1, 23, 59, 50),
    "2026-03-02 07:59": datetime(2026, 3, 2, 12, 59),
    " 2026-03-02 07:59:50 ": datetime(2026, 3, 2, 12, 59, 50),
    "2026-11-01 01:30:00": datetime(2026, 11, 1, 5, 30),  # comes twice: the first
    "2026-03-08 02:30:00": datetime(2026, 3, 8, 7, 30),  # never comes
    "1772438390": datetime(2026, 3, 2, 7, 59, 50),
    "1772438390.5": datetime(2026, 3, 2, 7, 59, 50, 500000),
    "1772438390123": datetime(2026, 3, 2, 7, 59, 50, 123000),
    "1772438390123456": datetime(2026, 3, 2, 7, 59, 50, 123456),
    "177243839": None,
    "20260302075950": None,
    "2026-03-02": None,
    "2026-02-30 07:59:50": None,
    "2026-03-02 24:00:00": None,
    "2026-03-02T07:59:60Z": None,
    "02/03/2026 07:59:50": None,
    "1969-12-31 23:59:59": None,
    "2009-12-31T23:59:59Z": None,
    "2100-01-01T00:00:00Z": None,
    "soon": None,
    "": None,
}


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_times(tmp_path: Path, suffix: str) -> None:
    settings = settings_of(tmp_path, sends_timezone="America/New_York")
    rows = [{"sid": sid, "sent_at": text} for sid, text in enumerate(TIMES)]
    if suffix == "csv":
        text = "sid,sent_at\n" + "".join(f"{row['sid']},{row['sent_at']}\n" for row in rows)
    else:
        text = "".join(json.dumps(row) + "\n" for row in rows)
    send(settings, f"a.{suffix}", text)
    take(settings)
    found = dict(sends(settings, "sid, sent_at_utc"))
    assert {text: found.get(sid) for sid, text in enumerate(TIMES)} == TIMES
    bad = [(position, reason, field) for position, reason, field, _ in rejected(settings)]
    wrong = [sid + 1 for sid, time in enumerate(TIMES.values()) if time is None]
    assert bad == [(position, "bad_sent_at", "sent_at") for position in wrong]
    assert verify(settings).findings == []


def test_bad_rows_are_quarantined_with_their_reason(settings: Settings) -> None:
    at = "2026-03-02 07:59:50"
    sids = ["1.5", "1e5", "true", " 1", "9223372036854775808", "x"]
    lines = [f"{sid},,{at},,\n" for sid in sids]
    lines += [f",,{at},t,\n", "5,,never,,\n", f"6,{at}\n", f"7,,{at},,,surplus\n", f"8,,{at},,\n"]
    send(settings, "a.csv", HEAD + "".join(lines))
    send(settings, "b.jsonl", f'{{"sid":9,"sent_at":"{at}"}}\n[1]\nno json\n{{"uid":"u"\n')
    run(settings)
    assert sends(settings, "sid") == [(8,), (9,)]
    found = rejected(settings)
    assert [row[1:] for row in found if row[1] == "bad_sid"] == [
        ("bad_sid", "sid", sid) for sid in sids
    ]
    assert [(row[0], row[1]) for row in found if row[1] not in ("bad_sid", "not_a_row")] == [
        (7, "no_key"),
        (8, "bad_sent_at"),
    ]
    assert [row[0] for row in found if row[1] == "not_a_row"] == [2, 3, 4, 9, 10]
    assert warehouse(
        settings, "select received, sends, rejected, balanced from ops.sends_ledger"
    ) == [(15, 2, 13, True)]
    assert read_status(settings).problems == []
    assert verify(settings).findings == []


UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "empty.csv": ("", "is empty"),
    "nothing.csv": ("sid,tag\n1,a\n", "has no column sent_at"),
    "keyless.csv": ("sent_at,tag\n", "neither sid nor uid"),
    "twice.csv": ("sid,sent_at,SID\n", "has the column sid twice"),
    "binary.csv": (bytes(range(128, 256)), "is neither UTF-8 nor GB18030"),
    "sheet.xlsx": ("PK", "is not a .csv"),
    "no.parquet": ("PAR1 not", "is not a readable Parquet"),
    "endless.csv": (
        f'{HEAD}1,,2026-03-02 07:59:50,,\n2,"{"x" * (2 << 24)}',
        "cannot be read (Error)",
    ),
}


def test_unreadable_files_are_set_apart_and_the_rest_is_taken(settings: Settings) -> None:
    for name, (content, _) in UNREADABLE.items():
        send(settings, name, content)
    (settings.sends / "gone.csv").symlink_to(settings.data / "nowhere.csv")
    (settings.sends / ".being-copied.csv").write_text("hidden")
    send(settings, "good.csv", f"{HEAD}1,,2026-03-02 07:59:50,,\n")
    take(settings)
    assert sends(settings, "sid") == [(1,)]
    apart = read_status(settings).quarantined_sends
    assert set(apart) == {*UNREADABLE, "gone.csv"}
    assert all(sentence in apart[name] for name, (_, sentence) in UNREADABLE.items())
    assert any("Send file empty.csv is empty" in text for text in read_status(settings).problems)
    take(settings)
    assert warehouse(settings, "select count(*) from ops.sends_ledger") == [(1,)]


cells = st.text(alphabet='ab ,;"\n\r\t\\é订#0', max_size=6)


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_fast_reader_sees_what_python_sees(data: st.DataObject) -> None:
    """Any text at all: the fast path is taken only where it gives the same rows."""
    import csv
    import io
    import tempfile

    from pipelines.sends.rows import COLUMNS, read_rows

    body = data.draw(st.lists(st.lists(cells, min_size=1, max_size=4), max_size=5))
    joined = "\n".join(",".join(row) for row in body)
    text = "uid,sent_at,tag\n" + data.draw(st.sampled_from([joined, joined + "\n"]))
    with tempfile.TemporaryDirectory() as name, duckdb.connect() as con:
        (Path(name) / "a.csv").write_text(text, encoding="utf-8", newline="")
        assert read_rows(con, Path(name), ["a.csv"]) == {}
        columns = ", ".join(f"coalesce({one}, '')" for one in COLUMNS)
        found = con.execute(
            f"select position, whole is not null, {columns} from send_rows order by position"
        ).fetchall()
    expected = []
    records = [one for one in csv.reader(io.StringIO(text, newline="")) if one][1:]
    for position, one in enumerate(records, start=1):
        good = len(one) >= 3 and not any(one[3:])
        uid, sent_at, tag = one[:3] if good else ("", "", "")
        expected.append((position, not good, "", uid, sent_at, tag, ""))
    assert found == expected


# --- matching, rates, percentiles: against the reference -----------------------------------------

PLACES: dict[str | None, Place] = {
    "13900000000": Place("CN", "china_mobile"),
    "+8613000000000": Place("CN", "china_unicom"),
    "junk": Place(None, None),
    None: Place(None, None),
}
PARTIES = {"MK:0001": "recipient", "??": None, None: None}
mobiles = st.sampled_from(list(PLACES))
uids = st.sampled_from([None, "a", "b", "c"])
reported = st.fixed_dictionaries(
    {
        "sid": st.integers(1, 6),
        "uid": uids,
        "mobile": mobiles,
        "report_status": st.sampled_from(["SUCCESS", "SUCCESS", "FAIL"]),
        "user_receive_time": st.sampled_from(
            [None, "2026-03-02 15:59:00", "2026-03-02 14:00:07", "2026-03-05 15:59:59"]
        ),
        "error_msg": st.sampled_from(list(PARTIES)),
        "error_detail": st.none(),
    }
)
lines = st.builds(
    Send,
    sid=st.one_of(st.none(), st.integers(1, 7)),
    uid=uids,
    sent_at=st.sampled_from(
        [NOW - timedelta(minutes=1), NOW, NOW - timedelta(hours=3), NOW + timedelta(days=3)]
    ),
    tag=st.sampled_from([None, "otp"]),
    mobile=mobiles,
).filter(lambda line: line.sid is not None or line.uid is not None)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Any]]:
    """Runs: what comes before each, pushes (with their records) and send files, interleaved."""
    batches = draw(st.lists(st.lists(reported, min_size=1, max_size=3), max_size=5))
    hours = draw(st.lists(st.integers(0, 100), min_size=len(batches), max_size=len(batches)))
    inputs: list[Any] = [
        (push(form(batch), n, received_at=FIRST + timedelta(hours=at, seconds=1.5)), batch)
        for n, (batch, at) in enumerate(zip(batches, hours, strict=True))
    ]
    inputs += draw(st.lists(st.lists(lines, min_size=1, max_size=4), min_size=1, max_size=3))
    order = draw(st.permutations(inputs))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=3)) | {0, len(order)})
    return [list(order[a:b]) for a, b in pairwise(cuts)]


def csv_of(rows: Iterable[Send]) -> str:
    return HEAD + "".join(
        ",".join("" if value is None else str(value) for value in row) + "\n" for row in rows
    )


def expected_model(pushes: list[tuple[Envelope, list[dict[str, Any]]]], log: list[Send]) -> Model:
    found = [
        Report(envelope.received_at, envelope.push_id, position, fields)
        for envelope, batch in pushes
        for position, fields in enumerate(batch)
    ]
    received = {
        envelope.push_id: envelope.received_at.replace(tzinfo=None) for envelope, _ in pushes
    }
    rows = sms_status(found)
    for row in rows.values():
        row["party"] = PARTIES[row["error_code"]]
        row["received_at"] = received[row["push_id"]]
    return Model(rows, log, PLACES, max(received.values(), default=None))


def check(settings: Settings, model: Model) -> None:
    """Everything the send log decides is what the reference says."""
    columns = "sid, uid, sent_at_utc, tag, mobile, match, reported_sid"
    rows = [(Send(*row[:5]), tuple(row[5:])) for row in sends(settings, columns)]
    assert dict(rows) == {line: tuple(match) for line, match in model.matches.items()}
    assert len(rows) == len(model.matches)
    check_messages(settings, model)
    check_delivery(settings, model)
    check_latency(settings, model)


def check_messages(settings: Settings, model: Model) -> None:
    columns = "sid, sent_at_utc, tag, handset_latency_s, end_to_end_s"
    found = warehouse(settings, f"select {columns} from core.sms_status")
    expected = []
    for sid, row in model.reports.items():
        line = model.send_of.get(sid)
        between = model.intervals(row, line)
        expected.append(
            (
                sid,
                line.sent_at if line else None,
                line.tag if line else None,
                between["handset_latency"],
                between["end_to_end"],
            )
        )
    assert sorted(found) == sorted(expected)


def check_delivery(settings: Settings, model: Model) -> None:
    names = [*COUNTS, *SEND_COUNTS]
    rates = [f"{rate}{end}" for rate in RATES for end in ("", "_low", "_high")]
    key = "country_code, range_operator, tag"
    query = f"select hour_utc, {key}, {', '.join(names)}, provisional, {', '.join(rates)}"
    found = {row[:4]: row[4:] for row in warehouse(settings, f"{query} from marts.delivery_hourly")}
    expected = model.delivery()
    assert set(found) == set(expected)
    for place, row in expected.items():
        figures = [row[name] for name in names]
        cut = len(names) + 1
        assert list(found[place][:cut]) == [*figures, model.provisional(place[0])], place
        assert list(found[place][cut:]) == pytest.approx([row[name] for name in rates]), place
    sums = ", ".join(f"sum({name})::bigint" for name in names)
    by_day = f"select {key}, {{}}, {sums}, bool_or(provisional) from {{}} group by all order by all"
    hourly = warehouse(settings, by_day.format("hour_utc::date", "marts.delivery_hourly"))
    daily = warehouse(settings, by_day.format("day_utc", "marts.delivery_daily"))
    assert hourly == daily


def check_latency(settings: Settings, model: Model) -> None:
    columns = "n, negative, max_s, p50_s, p90_s, p95_s, p99_s, coverage"
    key = "hour_utc, country_code, range_operator, interval"
    rows = warehouse(settings, f"select {key}, {columns} from marts.latency_hourly")
    found = {row[:4]: row[4:] for row in rows}
    delivered = {key: len(values) for key, values in model.latencies().items()}
    values = {key: cell for key, cell in model.latencies().items() if cell}
    assert set(found) == set(values)
    all_delivered: dict[Any, int] = {}
    for row in model.reports.values():
        if row["delivered"]:
            place = PLACES[row["mobile"]]
            key = (
                row["event_time_utc"].replace(minute=0, second=0, microsecond=0),
                place.country,
                place.operator,
            )
            all_delivered[key] = all_delivered.get(key, 0) + 1
    for key, cell in values.items():
        n, negative, most, *rest = found[key]
        assert (n, negative, most) == (len(cell), sum(one < 0 for one in cell), max(cell))
        shares = [percentile(cell, share) for share in (0.5, 0.9, 0.95, 0.99)]
        assert rest == pytest.approx([*shares, delivered[key] / all_delivered[key[:3]]])
    check_buckets(settings, values)


def check_buckets(settings: Settings, values: dict[tuple[Any, ...], list[float]]) -> None:
    """Buckets add up, and the macro names the one that holds the exact percentile."""
    hundredths = (1, 50, 95, 99, 100)
    bounds = ", ".join(
        f"percentile_of_buckets(upper_bound_s, n, {one / 100})" for one in hundredths
    )
    query = f"select interval, {bounds} from marts.latency_buckets_hourly group by all"
    expected = {}
    for interval in {key[3] for key in values}:
        every = [one for key, cell in values.items() if key[3] == interval for one in cell]
        expected[interval] = [bucket(nearest_rank(every, one)) for one in hundredths]
    with open_warehouse(settings, read_only=True) as con:
        rows = con.execute(query).fetchall()
    assert {interval: list(found) for interval, *found in rows} == expected


@hypothesis_settings(
    max_examples=HISTORIES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(histories())
def test_any_order_of_reports_and_sends_gives_what_the_reference_computes(
    tmp_path_factory: pytest.TempPathFactory, history: list[list[Any]]
) -> None:
    split = settings_of(tmp_path_factory.mktemp("split"))
    pushes: list[Any] = []
    log: list[Send] = []
    for n, inputs in enumerate(history):
        for m, one in enumerate(inputs):
            if isinstance(one, tuple):
                land(split, [one[0]], f"{n}-{m}")
                pushes.append(one)
            else:
                send(split, f"{n}-{m}.csv", csv_of(one))
                log += one
        take(split)
        check(split, expected_model(pushes, log))
    assert verify(split).findings == []
    for ledger in ("ops.ledger", "ops.sends_ledger"):
        assert warehouse(split, f"select bool_and(balanced) from {ledger}") == [(True,)]
    before = fingerprint(split)
    rebuilt = rebuild(split, "rebuild").after
    assert rebuilt is not None
    assert rebuilt["fingerprint"] == before
    check(split, expected_model(pushes, log))


# --- one thing at a time ---------------------------------------------------------------------

AT = "2026-03-02 07:59:50"


def test_importing_again_changes_nothing(settings: Settings) -> None:
    text = f"{HEAD}1,,{AT},otp,\n1,,2026-03-02 07:59:40,otp,\n,u,{AT},,\n"
    land(settings, [push(form([record(1)]))])
    send(settings, "a.csv", text)
    run(settings)
    before = sends(settings, "sid, uid, sent_at_utc, match"), fingerprint(settings)
    assert not run(settings).published
    send(settings, "copy of a.csv", text)
    take(settings)
    assert (sends(settings, "sid, uid, sent_at_utc, match"), fingerprint(settings)) == before
    ledger = "received, sends, repeated, duplicates, rejected, total_received, balanced"
    assert warehouse(settings, f"select {ledger} from ops.sends_ledger order by sequence") == [
        (3, 2, 1, 0, 0, 3, True),
        (3, 0, 0, 3, 0, 6, True),
    ]
    assert verify(settings).findings == []


def test_a_file_that_changed_is_read_again_and_what_it_said_before_goes(settings: Settings) -> None:
    land(settings, [push(form([record(1), record(2)]))])
    send(settings, "a.csv", f"{HEAD}1,,{AT},old,\n2,,{AT},old,\nx,,{AT},,\n")
    run(settings)
    send(settings, "a.csv", f"{HEAD}1,,{AT},new,\n")
    run(settings)
    tags = "select sid, tag, sent_at_utc is not null from core.sms_status order by sid"
    assert warehouse(settings, tags) == [(1, "new", True), (2, None, False)]
    assert rejected(settings) == []
    assert verify(settings).findings == []


def test_ambiguous_uids_are_counted_and_never_guessed(settings: Settings) -> None:
    batch = [record(sid, uid=uid) for sid, uid in ((1, "one"), (2, "two"), (3, "two"), (4, "four"))]
    land(settings, [push(form(batch))])
    uids = ["one", "two", "none", "twice", "four", "five"]
    lines = [f",{uid},{AT},,\n" for uid in uids] + [f",twice,{AT},other,\n"]
    # message 4 has a send by sid; of uid five there is one with a sid, not reported yet
    lines += [f"4,,{AT},,\n", f"5,five,{AT},,\n"]
    send(settings, "a.csv", HEAD + "".join(lines))
    run(settings)
    assert dict(sends(settings, "coalesce(uid, sid::varchar), match")) | {"five": "?"} == {
        "one": "uid",
        "two": "ambiguous",
        "none": "none",
        "twice": "ambiguous",
        "four": "ambiguous",
        "4": "sid",
        "five": "?",
    }
    totals = "sum(sent), sum(sent_reported), sum(pending)"
    assert warehouse(settings, f"select {totals} from marts.delivery_hourly") == [(4, 2, 2)]
    assert read_status(settings).sends["ambiguous"] == 5
    assert verify(settings).findings == []


def parts(settings: Settings, table: str) -> set[str]:
    query = f"select path from ops.export_parts where table_name = '{table}'"
    return {path for (path,) in warehouse(settings, query)}


def at_hour(n: int, sid: int) -> Envelope:
    """A report of an event ``n`` hours after the first, received three seconds later."""
    local = (FIRST + timedelta(hours=8 + n)).strftime("%Y-%m-%d %H:%M:%S")
    body = form([record(sid, user_receive_time=local)])
    return push(body, sid, received_at=FIRST + timedelta(hours=n, seconds=3))


def snapshot(settings: Settings) -> dict[str, set[str]]:
    every = ("core.sms_status", "core.sends", "marts.delivery_hourly", "marts.latency_hourly")
    return {table: parts(settings, table) for table in every}


def gained(settings: Settings, before: dict[str, set[str]]) -> dict[str, list[str]]:
    return {
        table: sorted(path.rpartition("-")[0].partition("/")[2] for path in now - before[table])
        for table, now in snapshot(settings).items()
        if now - before[table]
    }


def test_a_late_send_touches_only_the_hours_it_belongs_to(settings: Settings) -> None:
    land(settings, [at_hour(24 * n, n) for n in range(5)])
    send(
        settings,
        "a.csv",
        HEAD + "".join(f"{n},,{(NOW + timedelta(days=n)).isoformat()},,\n" for n in range(4)),
    )
    run(settings)
    before = snapshot(settings)
    sent = NOW + timedelta(days=4, seconds=-2)
    send(settings, "late.csv", f"{HEAD}4,,{sent.isoformat()},,\n")
    run(settings)
    assert gained(settings, before) == {
        "core.sms_status": ["event_date=2026-03-06/20260306T0800"],
        "core.sends": ["event_date=2026-03-06/20260306T0759"],
        "marts.delivery_hourly": ["2026-03-06"],
        "marts.latency_hourly": ["2026-03-06"],
    }
    waiting = NOW + timedelta(days=1, hours=3)
    before = snapshot(settings)
    send(settings, "unreported.csv", f"{HEAD}99,,{waiting.isoformat()},,\n")
    run(settings)
    assert gained(settings, before) == {
        "core.sends": ["event_date=2026-03-03/20260303T0800"],
        "marts.delivery_hourly": ["2026-03-03"],
    }
    assert verify(settings).findings == []


def test_time_alone_makes_pending_unknown_and_provisional_final(settings: Settings) -> None:
    send(
        settings,
        "a.csv",
        f"{HEAD}50,,{NOW.isoformat()},,\n51,,{(NOW + timedelta(hours=30)).isoformat()},,\n",
    )
    run(settings)
    columns = "hour_utc, pending, unknown, provisional"
    states = f"select {columns} from marts.delivery_hourly where sent > 0 order by 1"
    first, second = NOW, NOW + timedelta(hours=30)
    assert warehouse(settings, states) == [(first, 1, 0, True), (second, 1, 0, True)]
    for hours, expected, flipped in (
        (0, [(first, 1, 0, True), (second, 1, 0, True)], set()),
        (1, [(first, 1, 0, False), (second, 1, 0, True)], {"2026-03-02"}),
        (30, [(first, 1, 0, False), (second, 1, 0, True)], {"2026-03-02"}),
        (71, [(first, 1, 0, False), (second, 1, 0, False)], {"2026-03-03"}),
        (72, [(first, 0, 1, False), (second, 1, 0, False)], {"2026-03-02"}),
    ):
        land(settings, [at_hour(hours, hours)], str(hours))
        before = snapshot(settings)
        run(settings)
        assert warehouse(settings, states) == expected, hours
        days = set(gained(settings, before)["marts.delivery_hourly"])
        assert days == flipped | {f"{FIRST + timedelta(hours=hours):%Y-%m-%d}"}, hours
    assert not run(settings).published
    assert verify(settings).findings == []


def test_operators_that_give_minutes_only_are_marked(settings: Settings) -> None:
    def local(second: int) -> str:
        return f"2026-03-02 15:59:{second:02d}"

    batch = [record(n, user_receive_time=local(0 if n % 2 else 7)) for n in range(10)]
    batch += [record(20 + n, mobile="13000000000", user_receive_time=local(n)) for n in range(10)]
    batch += [record(40 + n, mobile="13300000000", user_receive_time=local(0)) for n in range(9)]
    land(settings, [push(form(batch))])
    send(settings, "a.csv", HEAD + "".join(f"{n},,{AT},,\n" for n in range(10)))
    run(settings)
    columns = "range_operator, interval, n, negative, on_the_minute, minutes_only"
    assert warehouse(settings, f"select {columns} from marts.latency_hourly order by all") == [
        ("china_mobile", "end_to_end", 10, 0, None, None),
        ("china_mobile", "handset_latency", 10, 10, 5, True),
        ("china_mobile", "report_lag", 10, 0, 5, True),
        ("china_telecom", "report_lag", 9, 0, 9, None),
        ("china_unicom", "report_lag", 10, 0, 1, False),
    ]
    assert verify(settings).findings == []


def test_coverage_of_the_code_table(settings: Settings) -> None:
    codes = ["MK:0001", "EXPIRED", "MI:9999", "??", "??", "", None, " "]
    batch = [
        record(n, report_status="FAIL", mobile="13900000000", error_msg=code)
        for n, code in enumerate(codes)
    ]
    land(settings, [push(form(batch))])
    run(settings)
    columns = "failures, with_code, literal, pattern, unmapped, unmapped_share"
    assert ask(settings, f"select {columns} from marts.code_coverage_daily") == [
        (8, 5, 2, 1, 2, 0.4)
    ]
    assert verify(settings).findings == []


def test_readers_have_the_functions(settings: Settings) -> None:
    land(settings, [push(form([record(n) for n in range(4)]))])
    run(settings)
    query = """
        select country_code, percentile_of_buckets(upper_bound_s, n, 0.95), sum(n)
        from marts.latency_buckets_hourly where interval = 'report_lag' group by all
    """
    assert ask(settings, query) == [("CN", 3.0, 4)]
    assert ask(settings, "select rate(1, 4), wilson_low(0, 10), wilson_high(0, 0)") == [
        (0.25, 0.0, None)
    ]


def test_numbers_of_the_send_log_are_masked_for_readers(settings: Settings) -> None:
    send(
        settings, "a.csv", f"{HEAD}1,,{AT},,15205201314\nx,15205201314,{AT},,\n,15205201314,no,,\n"
    )
    run(settings)
    assert ask(settings, "select mobile from core.sends") == [("CN****1314",)]
    assert ask(settings, "select value from raw.rejected_sends order by 1") == [("no",), ("x",)]


def test_what_a_verification_finds_in_the_send_log(settings: Settings) -> None:
    land(settings, [push(form([record(1), record(2)]))])
    send(settings, "a.csv", f"{HEAD}1,,{AT},,\n2,,{AT},,\n3,,{AT},,\nx,,{AT},,\n")
    run(settings)
    assert verify(settings).findings == []
    altered = {
        "update core.sends set match = 'uid' where sid = 1": ".* match is uid, expected sid",
        "delete from core.sends where sid = 3": "core.sends: sid 3, uid null, sent_at_utc 2026",
        "update core.sms_status set tag = 'x' where sid = 2": '.*sid 2: tag is "x", expected null',
        "update core.sms_status set handset_latency_s = 1 where sid = 1": ".*latency_s is 1.0",
        "update marts.delivery_hourly set pending = 7": ".*pending is 7, expected",
        "update marts.delivery_daily set effective_rate = 0.5": "marts.delivery_daily",
        "update marts.latency_hourly set p95_s = 5": "marts.latency_hourly",
        "delete from marts.latency_buckets_hourly": "marts.latency_buckets_hourly",
        "update marts.as_of set settled_after_s = 1": "marts.as_of",
        "delete from raw.rejected_sends": ".*position 4 has no row",
        "update ops.sends_ledger set total_sends = 9": ".*total_sends is 9",
        "update ops.send_files set received = 9": ".*received is 9",
    }
    for statement in altered:
        warehouse(settings, statement)
    told = "\n".join(map(str, verify(settings).findings))
    assert [one for one in altered.values() if not re.search(f"(?m)^{one}", told)] == [], told
    (settings.sends / "a.csv").write_text(HEAD)
    assert "was altered" in "\n".join(map(str, verify(settings).findings))


MESSAGES = 4_000


def test_every_count_is_the_truth_of_the_simulation(tmp_path: Path) -> None:
    """With the send log and without: what really happened, message by message and added up."""
    truth_file, log = tmp_path / "truth.jsonl", tmp_path / "sends.csv"
    traffic = SimulationOptions(
        messages=MESSAGES, conflicts=0.01, unreported=0.02, truth=truth_file, sends=log
    )
    settings = settings_of(tmp_path / "data")
    pushes = [
        push(one.body, n, received_at=datetime.fromtimestamp(one.at_ms / 1000, UTC))
        for n, one in enumerate(iter_pushes(traffic))
    ]
    land(settings, pushes)
    run(settings)
    truths = [json.loads(line) for line in truth_file.read_text("utf-8").splitlines()]
    known = [truth for truth in truths if truth["reports"]]
    delivered = sum(truth["outcome"] == "delivered" for truth in truths)
    counts = "sum(reports), sum(delivered), sum(sent), sum(pending), sum(delivery_rate)"
    daily = f"select {counts} from marts.delivery_daily"
    assert ask(settings, daily) == [(len(known), delivered, None, None, None)]
    assert ask(settings, "select distinct interval from marts.latency_hourly") == [("report_lag",)]

    bring_in(settings, log)
    run(settings)
    as_of = max(one.received_at for one in pushes)
    open_, tags = Counter[str](), Counter[tuple[str, str]]()
    for truth in truths:
        age = as_of - datetime.fromisoformat(truth["sent_at"])
        outcome = "pending" if age < timedelta(hours=72) else "unknown"
        open_["reported" if truth["reports"] else outcome] += 1
        tags[truth["tag"], truth["outcome"]] += 1
    counts = "sum(reports), sum(sent), sum(sent_reported), sum(sent_delivered), sum(pending)"
    [totals] = ask(settings, f"select {counts}, sum(unknown) from marts.delivery_daily")
    assert totals == (
        len(known), MESSAGES, len(known), delivered, open_["pending"], open_["unknown"]
    )  # fmt: skip
    by_tag = "select tag, sum(sent_delivered), sum(reports - delivered), sum(pending + unknown)"
    assert ask(settings, f"{by_tag} from marts.delivery_hourly group by all order by 1") == [
        (tag, *(tags[tag, outcome] for outcome in ("delivered", "failed", "unreported")))
        for tag in ("marketing", "otp")
    ]
    found = {
        sid: rest
        for sid, *rest in ask(
            settings, "select sid, sent_at_utc, tag, handset_latency_s from core.sms_status"
        )
    }
    assert found == {truth["sid"]: message_of(truth) for truth in known}
    places = """
        select range_operator, count(*) from core.sends
        where match = 'none' and country_code = 'CN' group by all
    """
    waiting = Counter(
        truth["operator"] for truth in truths if not truth["reports"] and truth["country"] == "CN"
    )
    assert dict(ask(settings, places)) == waiting
    assert verify(settings).findings == []


def message_of(truth: dict[str, Any]) -> list[Any]:
    sent, handset = (
        datetime.fromisoformat(truth[name]).replace(tzinfo=None) if truth[name] else None
        for name in ("sent_at", "handset_time")
    )
    latency = (handset - sent).total_seconds() if handset and sent else None
    return [sent, truth["tag"], latency]
