"""`dlr verify` finds nothing on honest data, and names the place of anything that was altered.

One data folder is made by the pipeline from every kind of traffic; each test works on a copy of
it. What is altered is altered behind the pipeline's back, in the files themselves.
"""

import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import duckdb
import pytest

from contract.envelope import Envelope
from contract.settings import Settings, load_settings
from pipelines.folder.lock import WarehouseError
from pipelines.load.load import load
from pipelines.load.marts import refresh_marts
from pipelines.models.warehouse import open_warehouse
from pipelines.publish.publish import publish
from pipelines.verify import Verification, recount, verify

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
FIRST, SECOND = "yunpian/2026-11-20/a.jsonl", "yunpian/2026-11-21/b.jsonl"
THIRD = "yunpian/2026-11-21/c.jsonl"
MOBILES = ("15205201314", "+93703334567", " 93703334567", "18912345678", "no number", "", None)
CODES = ("MK:0001", "ＭＫ：０００１", " mk : 0010 ", "CA:0123", "BLACKLIST", "XX:9999", "", None)
TIMES = ("2026-11-20 15:59:58", "2026-11-20 16:00:03", "0000-00-00 00:00:00", "soon", None)


def record(sid: object, **fields: object) -> dict[str, object]:
    return {
        "sid": sid,
        "uid": None,
        "mobile": "15205201314",
        "report_status": "SUCCESS",
        "user_receive_time": TIMES[0],
        "error_msg": "DELIVRD",
        "error_detail": "接收成功",
        **fields,
    }


def form(value: object, times: int = 1, quoted: Callable[[bytes], str] = quote_plus) -> bytes:
    """A body whose value is encoded so many times."""
    data = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    for _ in range(times):
        data = quoted(data).encode()
    return b"sms_status=" + data


ONE, TWO = record(1), record(2, report_status="FAIL", error_msg="MK:0001", mobile=MOBILES[2])
TEXT = json.dumps([ONE, record(3), record(4)], ensure_ascii=False).encode()
BODIES = {
    "once": form([ONE, TWO]),
    "percent-20": form([record(5, uid="a b+c&d")], quoted=quote),
    "twice": form([record(6)], times=2),
    "thrice": form([record(7, uid=0)], times=3),
    "raw": form([record(8, mobile="+93703334567")], times=0),
    "raw, ampersand in a text": form([record(9, uid="a&b")], times=0),
    "stray percent": form([record(10, uid="100%")], times=0),
    "other parameters": b"a=1&" + form([record(11)]) + b"&b=%20",
    "two values": form([record(12)]) + b"&" + form([5, record(13)]),
    "name twice": form(b'[{"sid": 14, "sid": 15, "report_status": "SUCCESS"}]'),
    "number fields": form(b'[{"sid": 16, "report_status": "FAIL", "uid": -0, "error_msg": 1.5E1}]'),
    "exact sids": form([record(sid) for sid in (2**53 + 1, 2**63 - 1, str(-(2**63)), "007")]),
    "bad sids": form(b"[" + b",".join(b'{"sid": %b}' % s for s in (b"1.5", b"1e5", b"true", b"-0.0",
                     b"9223372036854775808", b'" 1"', b"null", b"[]")) + b"]"),
    "bad statuses": form([record(17, report_status=s) for s in ("success", None, 1, ["FAIL"])]),
    "no objects": form([1, "x", None, [record(1)], True]),
    "empty array": form([]),
    "empty value": b"sms_status=",
    "no json": form(b"<html>502</html>"),
    "no array": form(ONE),
    "nan": form(b'[{"sid": NaN}]'),
    "trailing comma": form(TEXT[:-1] + b",]"),
    "truncated": form(TEXT[:-40]),
    "cut in the middle": form(TEXT[:150] + TEXT[200:]),
    "no comma": form(TEXT.replace(b"}, {", b"} {")),
    "rest behind": form(TEXT + b"rest"),
    "byte-order mark": form(b"\xef\xbb\xbf" + TEXT),
    "control character": form(TEXT.replace(b"15205201314", b"152\x01")),
    "bad utf-8": form(TEXT.replace("接".encode(), b"\xff")),
    "bad utf-8, raw": form(TEXT.replace("接".encode(), b"\xff"), times=0),
    "bad utf-8, raw, beside others": form(TEXT.replace("接".encode(), b"\xff"), times=0) + b"&a=1",
    "control character, raw, beside others": form(TEXT.replace(b"1314", b"\1"), times=0) + b"&a=1",
    "bad utf-8, raw, an ampersand in a text": form(TEXT.replace("接".encode(), b"&\xff"), times=0),
    "lone surrogate": form(TEXT.replace("接".encode(), rb"\ud83d")),
    "pair": form(TEXT.replace("接".encode(), rb"\ud83d\ude00")),
    "late success": form([TWO | {"report_status": "SUCCESS", "error_msg": ""}]),
    "other texts": form([ONE | {"uid": ""}, ONE | {"uid": "z"}, ONE | {"error_detail": None}]),
}  # fmt: skip


def random_bodies(seed: int, count: int) -> list[bytes]:
    """Batches about few messages, so that these repeat and contradict each other."""
    dice = random.Random(seed)
    return [
        form(
            [
                record(
                    dice.randrange(100, 160),
                    mobile=dice.choice(MOBILES),
                    report_status=dice.choice(("SUCCESS", "FAIL", "FAIL")),
                    user_receive_time=dice.choice(TIMES),
                    error_msg=dice.choice(CODES),
                )
                for _ in range(dice.randrange(8))
            ],
            times=dice.randrange(1, 4),
        )
        for _ in range(count)
    ]


def land(
    settings: Settings, name: str, bodies: Iterable[bytes], *, start: datetime = START
) -> None:
    path = settings.landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    stem = path.stem
    path.write_bytes(
        b"".join(
            Envelope(
                f"{stem}{n:04}", start + timedelta(seconds=n, microseconds=n), "::1", "f", body
            ).to_line()
            for n, body in enumerate(bodies)
        )
    )


def take_in(settings: Settings, run_id: str) -> None:
    with open_warehouse(settings) as con:
        load(con, settings, run_id)
        refresh_marts(con)
        publish(con, settings)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs; in the last a backup of the first file lies beside it under two names."""
    settings = load_settings(data=tmp_path_factory.mktemp("honest") / "data")
    land(settings, FIRST, [*BODIES.values(), *random_bodies(1, 20)])
    take_in(settings, "run-1")
    repeated = [*list(BODIES.values())[::3], *random_bodies(2, 20), *random_bodies(1, 5)]
    land(settings, SECOND, repeated, start=START - timedelta(hours=2))
    take_in(settings, "run-2")
    land(settings, THIRD, random_bodies(3, 10), start=START + timedelta(hours=5))
    for backup in ("yunpian/2026-11-20/0-backup.jsonl", "yunpian/2026-11-22/backup.jsonl"):
        (settings.landing / backup).parent.mkdir(exist_ok=True)
        shutil.copy(settings.landing / FIRST, settings.landing / backup)
    take_in(settings, "run-3")
    return settings.data


@pytest.fixture
def data(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "data", symlinks=True))


def verified(data: Path, **options: Any) -> Verification:
    return verify(load_settings(data=data), **options)


def told(verification: Verification) -> str:
    return "\n".join(map(str, verification.findings))


def alter(data: Path, statement: str) -> None:
    with duckdb.connect(data / "warehouse.duckdb") as con:
        con.execute(statement)


def ask(data: Path, query: str) -> Any:
    with duckdb.connect(data / "warehouse.duckdb") as con:
        return con.execute(query).fetchall()


def assert_found(data: Path, *patterns: str, **options: Any) -> None:
    """Verification fails, each pattern stands in a finding, and no mobile in any."""
    verification = verified(data, **options)
    assert not verification.passed
    text = told(verification)
    for pattern in patterns:
        assert re.search(pattern, text), f"{pattern!r} is not in:\n{text}"
    assert not [mobile for mobile in MOBILES if mobile and mobile[1:].isdigit() and mobile in text]


def test_honest_data_passes(data: Path) -> None:
    verification = verified(data)
    assert told(verification) == ""
    assert verification.passed
    names = ("pushes", "records", "messages", "duplicates", "conflicts", "rejected", "erased")
    totals = dict(zip(names, ask(data, f"""
        select (select count(*) from raw.pushes), {", ".join("total_" + n for n in names[1:])}
        from ops.ledger order by sequence desc limit 1""")[0], strict=True))  # fmt: skip
    assert {name: getattr(verification, name) for name in names[:-1]} | {"erased": 0} == totals
    fingerprint = json.loads((data / "exports/manifest.json").read_text())["fingerprint"]
    assert verification.fingerprint == fingerprint
    assert (verification.files, verification.pending, verification.unpublished) == (5, 0, 0)


def test_the_traffic_has_every_kind(data: Path) -> None:
    decodings = {row[0] for row in ask(data, "select distinct decoding from raw.pushes")}
    assert decodings == {"once", "twice", "thrice", "salvaged", "failed"}
    reasons = {row[0] for row in ask(data, "select distinct reason from raw.rejected_records")}
    assert reasons == {"not_an_object", "bad_sid", "bad_report_status", "not_json",
                       "not_an_array", "damaged_json"}  # fmt: skip
    rules = {row[0] for row in ask(data, "select distinct error_match from core.sms_status")}
    assert rules >= {"operator", "pattern", "none", None}
    sums = "sum(duplicates), sum(conflicts), sum(repaired_mobiles)"
    assert min(ask(data, f"select {sums} from raw.pushes")[0]) > 5


def test_two_processes_say_what_one_says(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = verified(data)
    monkeypatch.setattr(recount, "_WORTH_TWO", 0)
    assert verified(data) == one
    alter(data, "delete from core.sms_status where sid in (1, 2)")
    assert_found(data, "sid 1 has no row", "sid 2 has no row")


def test_progress_is_told_in_bytes_up_to_the_end(data: Path) -> None:
    heard: list[tuple[int, int]] = []
    verified(data, on_progress=lambda done, total: heard.append((done, total)))
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert heard[-1][0] == heard[-1][1] > 3 * (data / "landing" / FIRST).stat().st_size


def test_nothing_is_left_behind_not_even_by_the_killed(data: Path) -> None:
    killed = data / "tmp" / "verify-killed"
    killed.mkdir(parents=True)
    (killed / "0").touch()
    verified(data)
    assert list((data / "tmp").iterdir()) == []


def test_without_a_warehouse_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"There is no .*warehouse\.duckdb yet"):
        verified(tmp_path)


def test_files_not_read_yet_and_changes_not_published_are_no_findings(data: Path) -> None:
    settings = load_settings(data=data)
    land(settings, "yunpian/2026-11-21/d.jsonl", [form([record(900)])])
    (data / "landing/yunpian/2026-11-21/.e.jsonl.part").write_text("being written")
    assert (verified(data).passed, verified(data).pending) == (True, 1)
    with open_warehouse(settings) as con:
        load(con, settings, "run-4")
    verification = verified(data)
    assert told(verification) == ""
    assert verification.pending == 0
    assert verification.unpublished > 0


def test_a_file_that_was_set_apart_is_read_as_far_as_it_goes(data: Path) -> None:
    settings = load_settings(data=data)
    land(settings, "yunpian/2026-11-21/d.jsonl", [form([record(900)]), form([record(901)])])
    damaged = settings.landing / "yunpian/2026-11-21/d.jsonl"
    damaged.write_bytes(damaged.read_bytes()[:-30])
    (damaged.parent / "notes.txt").write_text("a foreign file")
    (damaged.parent / "empty.jsonl").touch()
    take_in(settings, "run-4")
    assert told(verified(data)) == ""
    assert ask(data, "select count(*) from core.sms_status where sid in (900, 901)") == [(1,)]


def test_a_push_landed_twice_counts_once_the_first_whatever_it_holds(data: Path) -> None:
    settings = load_settings(data=data)
    twice = Envelope("d0000", START, "::1", "f", form([record(900)])).to_line()
    other = Envelope("d0000", START, "::1", "f", form([record(901), 5])).to_line()
    (settings.landing / "yunpian/2026-11-21/d.jsonl").write_bytes(twice + twice)
    take_in(settings, "run-4")
    (settings.landing / "yunpian/2026-11-20/another.jsonl").write_bytes(other)
    take_in(settings, "run-5")
    assert told(verified(data)) == ""
    assert ask(data, "select copies from core.sms_status where sid in (900, 901)") == [(1,)]


def test_one_day_reads_that_day_alone(data: Path) -> None:
    whole, day = verified(data), verified(data, day=date(2026, 11, 21))
    assert told(day) == ""
    assert (day.files, day.pending) == (2, 0)
    assert 0 < day.records < whole.records
    alter(data, "delete from core.sms_status where sid = 1")
    assert_found(data, "sid 1 has no row", day=date(2026, 11, 21))


# --- Landed files ----------------------------------------------------------------------------


def test_an_altered_byte_is_found(data: Path) -> None:
    path = data / "landing" / SECOND
    content = path.read_bytes()
    path.write_bytes(content.replace(b"SUCCESS", b"SUCCESs", 1))
    assert_found(data, rf"landing/{SECOND}: line 1 is not an intact envelope",
                 rf"landing/{SECOND}: the landed file was altered",
                 "push_id b0000 has a row that nothing received accounts for")  # fmt: skip
    assert_found(data, rf"landing/{SECOND}: the landed file was altered", day=date(2026, 11, 21))
    assert verified(data, day=date(2026, 11, 20)).passed


def test_an_altered_body_with_an_altered_digest_is_found(data: Path) -> None:
    path = data / "landing" / THIRD
    settings = load_settings(data=data)
    bodies = random_bodies(3, 10)
    bodies[4] = form([record(1)])
    land(settings, THIRD, bodies, start=START + timedelta(hours=5))
    assert path.exists()
    assert_found(data, rf"landing/{THIRD}: the landed file was altered",
                 r"raw.pushes: push_id c0004: body_bytes is \d+, expected \d+; sha256 is",
                 r"core.sms_status: sid 1: copies is")  # fmt: skip


def test_a_removed_file_is_found(data: Path) -> None:
    (data / "landing" / SECOND).unlink()
    assert_found(
        data,
        rf"landing/{SECOND}: the landed file is gone",
        "push_id b0001 has a row that nothing received accounts for",
    )


def test_a_removed_original_is_found_though_its_backup_is_there(data: Path) -> None:
    (data / "landing" / FIRST).unlink()
    assert_found(
        data,
        rf"landing/{FIRST}: the landed file is gone",
        rf"push_id a0000: file is {FIRST}, expected yunpian/2026-11-20/0-backup",
    )


def test_a_file_that_cannot_be_read_is_found(data: Path) -> None:
    path = data / "landing" / SECOND
    path.unlink()
    path.mkdir()
    assert_found(data, rf"landing/{SECOND}: the landed file cannot be read \(Is a directory\)")


# --- Tables ----------------------------------------------------------------------------------

STATUS = "core.sms_status"
ALTERED = {
    "rows and columns": {
        "row deleted": (
            f"delete from {STATUS} where sid = 1",
            r"sid 1 has no row\. \(landing/\S+, line \d+, push \w+, position \d+\)",
        ),
        "row doubled": (
            f"insert into {STATUS} from {STATUS} where sid = 4",
            "core.sms_status: sid 4 has more than one row",
        ),
        "row added": (
            f"insert into {STATUS} select 77 as sid, * exclude (sid) from {STATUS} where sid = 3",
            "sid 77 has a row that nothing received accounts for",
        ),
        "copies": (
            f"update {STATUS} set copies = 99 where sid = 5",
            r"sid 5: copies is 99, expected \d",
        ),
        "report_status": (
            f"update {STATUS} set report_status = 'FAIL', delivered = false where sid = 3",
            "sid 3: report_status is FAIL, expected SUCCESS; delivered is False, expected True",
        ),
        "error_category": (
            f"update {STATUS} set error_category = 'expired' where sid = 16",
            "sid 16: error_category is expired, expected unknown",
        ),
        "handset_time_utc": (
            f"update {STATUS} set handset_time_utc = '2026-11-20 07:59:59' where sid = 6",
            r"sid 6: handset_time_utc is 2026-11-20 07:59:59\S*, expected 2026-11-20 07:59:58",
        ),
        "event_hour_utc": (
            f"update {STATUS} set event_hour_utc = '2026-11-20 09:00:00' where sid = 7",
            "sid 7: event_hour_utc is 2026-11-20 09:00",
        ),
        "push_id": (
            f"update {STATUS} set push_id = 'b0000' where sid = 8",
            r"sid 8: push_id is b0000, expected \w+",
        ),
        "report_lag_s": (
            f"update {STATUS} set report_lag_s = report_lag_s + 1e-3 where sid = 9",
            "sid 9: report_lag_s is",
        ),
        "mobile": (
            f"update {STATUS} set mobile = '13800138000' where sid = 10",
            r'sid 10: mobile is "…00", expected "…14"\. '
            r"\(landing/\S+, line \d+, push \w+, position 0\)",
        ),
        "null and empty": (
            f"update {STATUS} set uid = '' where sid = 11",
            'sid 11: uid is "", expected null',
        ),
        "country of a number": (
            f"update {STATUS} set country_code = 'US' where sid = 12",
            "core.sms_status: sid 12: country_code is US, expected CN",
        ),
        "place of a report": (
            f"update {STATUS} set position = position + 1 where sid = 13",
            "sid 13: position is",
        ),
        "version lost": (
            "delete from core.conflicting_reports where sid = 2 and not is_winner",
            r"core.conflicting_reports: sid 2, version 2 has no row\. \(landing/",
        ),
        "repetition lost": (
            "delete from core.repeated_reports where sid = 2",
            r"core.repeated_reports: push_id a0000, position 1 has no row",
        ),
        "content of a repeated report": (
            "update core.repeated_reports set uid = 'x' where sid = 1 and outcome = 'accepted'",
            'core.repeated_reports: push_id .*: uid is "x", expected null',
        ),
        "push doubled": (
            "insert into raw.pushes from raw.pushes where push_id = 'a0003'",
            "push_id a0003 has more than one row",
        ),
        "time of a push": (
            "update raw.pushes set received_at_utc = received_at_utc + interval 1 microsecond "
            "where push_id = 'a0004'",
            r"push_id a0004: received_at_utc is 2026-11-20 08:00:04.000005, expected",
        ),
        "reject deleted": (
            "delete from raw.rejected_records where push_id = 'a0012' and position = 3",
            r"raw.rejected_records: push_id a0012, position 3 has no row",
        ),
        "reject added": (
            "insert into raw.rejected_records from raw.rejected_records where push_id = 'a0016'",
            r"raw.rejected_records: push_id a0016, position null has more than one row",
        ),
        "reason": (
            "update raw.rejected_records set reason = 'not_json' where push_id = 'a0018'",
            "push_id a0018, position null: reason is not_json, expected not_an_array",
        ),
        "figure of a file": (
            f"update ops.ledger_by_file set duplicates = duplicates + 1 where file = '{SECOND}'",
            rf"ops.ledger_by_file: file {SECOND}: duplicates is \d+, expected \d+",
        ),
        "mart count": (
            "update marts.delivery_hourly set delivered = delivered + 1 where hour_utc = "
            "'2026-11-20 07:00:00' and country_code = 'CN' and range_operator = 'china_mobile'",
            r"marts.delivery_hourly: hour_utc 2026-11-20 07:00:00.000000, country_code CN, "
            r"range_operator china_mobile, tag null: delivered is \d+, expected \d+",
        ),
        "failures": (
            "update marts.failures_daily set failures = failures + 1",
            r"marts.failures_daily: day_utc 2026-11-20, .*: failures is \d+, expected \d+",
        ),
        "exported part": (
            "update ops.export_parts set rows = rows + 1 where table_name = 'core.sms_status'",
            "exports/manifest.json: ops.export_parts lists sms_status/.*, but the manifest does",
        ),
    },
    "other rows": {
        "winner swapped": (
            "update core.conflicting_reports set is_winner = not is_winner where sid = 2",
            "core.conflicting_reports: sid 2, version 1: is_winner is False, expected True",
        ),
        "outcome swapped": (
            "update core.repeated_reports set outcome = 'conflict' where sid = 1",
            "core.repeated_reports: push_id .*: outcome is conflict, expected (duplicate|accepted)",
        ),
        "push deleted": (
            "delete from raw.pushes where push_id = 'a0003'",
            r"raw.pushes: push_id a0003 has no row",
        ),
        "time of a file": (
            f"update ops.ledger_by_file set last_received_at_utc = null where file = '{SECOND}'",
            rf"ops.ledger_by_file: file {SECOND}: last_received_at_utc is null, expected 2026",
        ),
        "mart row deleted": (
            "delete from marts.delivery_hourly where country_code = 'AF'",
            r"marts.delivery_hourly: hour_utc 2026-11-\d\d .*, country_code AF, .* has no row",
        ),
        "mart row doubled": (
            "insert into marts.failures_daily from marts.failures_daily",
            "marts.failures_daily: day_utc 2026-11-20, .* has more than one row",
        ),
    },
    "files": {
        "push added": (
            "insert into raw.pushes select 'new' as push_id, * exclude (push_id) from raw.pushes "
            "where push_id = 'b0003'",
            "push_id new has a row that nothing received accounts for",
        ),
        "file's run": ("update ops.files set run_id = 'x'", "its run x is not in ops.ledger"),
        "file's pushes": (
            f"update ops.files set pushes = pushes + 1 where file = '{FIRST}'",
            rf"ops.files: {FIRST}: pushes is \d+, but raw.pushes has \d+",
        ),
        "row of a file": (
            f"delete from ops.ledger_by_file where file = '{SECOND}'",
            rf"ops.ledger_by_file: file {SECOND} has no row",
        ),
        "file that brought nothing": (
            "insert into ops.ledger_by_file by name select 'x' as file, 1 as pushes",
            "ops.ledger_by_file: file x has a row that nothing received accounts for",
        ),
    },
    "file of a push": {
        "file of a push": (
            f"update raw.pushes set file = '{SECOND}' where push_id = 'a0003'",
            f"push_id a0003: file is {SECOND}, expected",
        ),
        "file forgotten": (
            f"delete from ops.files where file = '{THIRD}'",
            "push_id c0000 has a row that nothing received accounts for",
        ),
    },
}
"""What is altered and what is said of it. What stands together touches other rows, and no sentence
can come from another alteration: one verification looks for all of them."""


@pytest.mark.parametrize("alterations", ALTERED.values(), ids=ALTERED)
def test_an_altered_table_is_found(data: Path, alterations: dict[str, tuple[str, str]]) -> None:
    for statement, _ in alterations.values():
        alter(data, statement)
    assert_found(data, *(pattern for _, pattern in alterations.values()))


EMPTIED = (
    "raw.pushes",
    "raw.rejected_records",
    "core.sms_status",
    "core.conflicting_reports",
    "core.repeated_reports",
    "ops.files",
    "ops.ledger",
    "marts.delivery_hourly",
)


def test_rows_of_nulls_are_found_and_break_nothing(data: Path) -> None:
    for table in EMPTIED:
        columns = [row[0] for row in ask(data, f"describe {table}")]
        nulls = ", ".join(f"{column} = null" for column in columns)
        alter(data, f"update {table} set {nulls} where rowid = (select min(rowid) from {table})")
    assert_found(data, *(rf"(?m)^{table}: " for table in EMPTIED))
    assert_found(data, "core.sms_status: ", day=date(2026, 11, 20))


FIGURES = (
    "body_bytes",
    "records",
    "accepted",
    "duplicates",
    "conflicts",
    "rejected",
    "repaired_mobiles",
)


def test_each_changed_figure_of_a_push_is_found(data: Path) -> None:
    for number, figure in enumerate(FIGURES):
        changed = f"update raw.pushes set {figure} = {figure} + 1 where push_id = 'b000{number}'"
        alter(data, changed)
    assert_found(
        data,
        *(
            rf"push_id b000{number}: {figure} is \d+, expected \d+\."
            for number, figure in enumerate(FIGURES)
        ),
    )


def test_another_decoding_of_a_push_is_found(data: Path) -> None:
    alter(data, "update raw.pushes set decoding = 'thrice' where push_id = 'a0002'")
    assert_found(data, "push_id a0002: decoding is thrice, expected twice")


LEDGER = {
    "of the run": (
        ("sequence", 3, "sequence + 1", "sequence is 4, expected 3"),
        ("started_at_utc", 3, "updated_at_utc + interval 1 second", "it began at .* and ended at"),
        ("files", 3, "files + 1", "files is 4, but 3 files name this run"),
        ("pushes", 3, "pushes + 1", "(?m)^ops.ledger: pushes of all runs is 104, .* gives 103"),
        ("records", 3, "records + 1", r"total_records is (\d+), expected (?!\1)\d+"),
        ("messages", 3, "messages + 1", r"total_messages is \d+, expected"),
        ("duplicates", 3, "duplicates + 1", r"total_duplicates is \d+, expected"),
        ("conflicts", 3, "conflicts + 1", r"total_conflicts is \d+, expected"),
        ("rejected", 3, "rejected + 1", r"total_rejected is \d+, expected"),
        ("erased", 3, "erased + 1", r"total_erased is 0, expected 1"),
        ("fingerprint_before", 3, "repeat('f', 32)", "fingerprint_before is f+, expected"),
        ("reference_version", 3, "'another'", "reference_version is another, but now it is"),
        ("provider_timezone", 3, "'UTC'", "provider_timezone is UTC, but now it is Asia/Shanghai"),
    ),
    "of all runs": (
        ("updated_at_utc", 3, "started_at_utc - interval 1 second", "it began at .* and ended at"),
        ("total_records", 3, "total_records + 1", r"total_records is \d+, but the recount gives"),
        ("total_messages", 3, "total_messages + 1", r"total_messages is \d+, but the recount"),
        ("total_duplicates", 3, "total_duplicates + 1", r"total_duplicates is \d+, but the re"),
        ("total_conflicts", 3, "total_conflicts + 1", r"total_conflicts is \d+, but the recount"),
        ("total_rejected", 3, "total_rejected + 1", r"total_rejected is \d+, but the recount"),
        ("total_erased", 3, "total_erased + 1", "total_erased is 1, expected 0"),
        ("balanced", 3, "false", "balanced is false, expected true"),
        ("fingerprint", 3, "repeat('0', 32)", "fingerprint is 0+, but the recount gives"),
    ),
    "of the content, and of an earlier run": (
        ("content_low", 3, "content_low + 1", r"fingerprint is \w+, expected"),
        ("sequence", 1, "sequence + 1", "sequence is 2, expected 1"),
        ("messages", 1, "messages + 1", r"total_messages is (\d+), expected (?!\1)\d+"),
        ("total_records", 1, "total_records + 1", r"total_records is \d+, expected"),
        ("balanced", 1, "false", "balanced is false, expected true"),
        ("content_low", 1, "content_low + 1", r"fingerprint is \w+, expected"),
    ),
    "of the content's other half, and names": (
        ("content_high", 3, "content_high + 1", r"fingerprint is \w+, expected"),
        ("run_id", 2, "'another'", rf"(?m)^ops.files: {SECOND}: its run run-2 is not in ops"),
        ("run_id", 1, "'yet another'", rf"(?m)^ops.files: {FIRST}: its run run-1 is not in ops"),
    ),
}
"""Columns with the run, what they are changed to and what is said. Of earlier runs some prove
nothing: a file may have been read again since, rules may have changed. No sentence can come from
another change of the same group."""


@pytest.mark.parametrize("changes", LEDGER.values(), ids=LEDGER)
def test_a_changed_figure_of_the_ledger_is_found(
    data: Path, changes: tuple[tuple[str, int, str, str], ...]
) -> None:
    for run in (1, 2, 3):
        ours = [f"{column} = {value}" for column, of, value, _ in changes if of == run]
        if ours:
            alter(data, f"update ops.ledger set {', '.join(ours)} where run_id = 'run-{run}'")
    assert_found(
        data,
        *(
            said if said.startswith("(?m)") else rf"(?m)^ops.ledger: run run-{run}: {said}"
            for _, run, _, said in changes
        ),
        r"(?m)^ops.ledger: run run-3: \d+ received in the run, \d+ accounted for"
        if changes == LEDGER["of the run"]
        else "",
    )


def test_figures_changed_so_that_the_law_still_holds_are_found(data: Path) -> None:
    alter(
        data,
        """
        update ops.ledger set duplicates = duplicates + 1, conflicts = conflicts - 1,
            total_duplicates = total_duplicates + 1, total_conflicts = total_conflicts - 1
        where run_id = 'run-3'
        """,
    )
    assert_found(
        data,
        r"ops.ledger: run run-3: total_duplicates is \d+, but the recount gives \d+",
        r"ops.ledger: run run-3: total_conflicts is \d+, but the recount gives \d+",
    )


def test_every_column_of_the_ledger_is_among_these(data: Path) -> None:
    assert {row[0] for row in ask(data, "describe ops.ledger")} == {
        column for changes in LEDGER.values() for column, *_ in changes
    }


def test_a_run_missing_from_the_ledger_is_found(data: Path) -> None:
    alter(data, "delete from ops.ledger where run_id = 'run-2'")
    assert_found(data, "ops.ledger: run run-3: sequence is 3, expected 2")


# --- What is published -----------------------------------------------------------------------


def exported(data: Path) -> Path:
    files = json.loads((data / "exports/manifest.json").read_text())["files"]
    path = next(file["path"] for file in files if file["table"] == STATUS)
    return data / "exports" / str(path)


def test_a_truncated_export_is_found(data: Path) -> None:
    os.truncate(exported(data), 100)
    name = exported(data).relative_to(data)
    assert_found(data, rf"{name}: the published file has 100 bytes and the sha256")


def test_a_removed_export_is_found(data: Path) -> None:
    exported(data).unlink()
    assert_found(data, rf"{exported(data).relative_to(data)}: the published file cannot be read")


@pytest.mark.parametrize(
    ("old", "new", "pattern"),
    [
        (r'"fingerprint": "\w+"', '"fingerprint": "0"', "manifest.json: the fingerprint is 0"),
        (r'"rows": \d+', '"rows": 1234567', r"manifest.json: [\d,]+ rows of \S+ are listed"),
        (r"^\{", "", r"manifest.json: the manifest cannot be read"),
    ],
)
def test_an_altered_manifest_is_found(data: Path, old: str, new: str, pattern: str) -> None:
    path = data / "exports/manifest.json"
    path.write_text(re.sub(old, new, path.read_text(), count=1))
    assert_found(data, pattern)


def test_a_broken_published_database_is_found(data: Path) -> None:
    (data / "analytics.duckdb").write_bytes(b"no database")
    assert_found(data, "analytics.duckdb: cannot be read")


def test_the_first_place_that_differs_comes_first(data: Path) -> None:
    """In the order of the landed files, whichever bucket or sid it is found by."""
    alter(data, "update core.sms_status set copies = copies + 1, uid = '13800138000'")
    alter(data, "update marts.delivery_hourly set reports = 0")
    findings = [str(one) for one in verified(data).findings if one.where == STATUS]
    places = [re.search(r"\(landing/(\S+), line (\d+), push (\w+), position (\d+)\)", one)
              for one in findings if "more findings" not in one]  # fmt: skip
    found = [(place[1], int(place[2]), int(place[4])) for place in places if place]
    assert len(found) == 20
    assert found == sorted(found)
    first = re.fullmatch(
        rf'{STATUS}: sid (\d+): uid is "…00", expected .+; copies is (\d+), expected (\d+)\. '
        r"\(landing/yunpian/2026-11-20/a.jsonl, line \d+, push a\d+, position \d+\)",
        findings[0],
    )
    assert first
    assert int(first[2]) == int(first[3]) + 1
    assert str(verified(data).findings[0]) == findings[0]


def test_many_findings_of_one_kind_are_counted_not_listed(data: Path) -> None:
    alter(data, "update core.sms_status set copies = copies + 1")
    verification = verified(data)
    assert 20 < len(verification.findings) < 30
    assert re.search(r"core.sms_status: \d+ more findings of this kind", told(verification))
