"""The whole path as its users see it: real pushes, a real receiver, `dlr run`, readers' tools."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pandas as pd
import pytest

from tests.command import dlr
from tests.data_folder import form, record
from tests.live import Live, push, running_receiver

SAMPLE = """[
{
"error_detail": "接收成功",
"sid": 9527,
"uid": "abc",
"user_receive_time": "2014-03-17 22:55:21",
"error_msg": "DELIVRD",
"mobile": "15205201314",
"report_status": "SUCCESS"
},
{
"error_detail": "接收成功",
"sid": 9528,
"uid": "123",
"user_receive_time": "2014-03-17 22:55:23",
"error_msg": "DELIVRD",
"mobile": "+93703334567",
"report_status": "SUCCESS"
}
]"""
"""The two records of the provider's page, as they stand there."""

REJECTED: dict[str, Any] = {
    # reason: what is pushed, beside a good record where that is possible
    "not_an_object": [record(1001), 17, record(1002)],
    "bad_sid": [record(1003), record("1.5"), record(1004)],
    "bad_report_status": [record(1005), record(1, report_status="DELIVERED"), record(1006)],
    "not_json": "no JSON at all",
    "not_an_array": '{"sid": 1}',
    "damaged_json": json.dumps([record(1007), record(1008)])[:-30],
}
NO_SIDS = ["1.5", 1.5, 1e5, True, -0.0, 9223372036854775808, "", None, "x", " 1", [1]]


def curl(live: Live, *options: str) -> str:
    """Push as the provider's page does it."""
    command = ["curl", "--silent", "--show-error", *options, live.push_url]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after all pushes of this module and two runs."""
    data = tmp_path_factory.mktemp("path") / "data"
    with running_receiver(data) as live:
        _push_everything(live)
        first = dlr(data, "run")
        assert first.returncode == 0, first.stderr
        encoded = quote(json.dumps(json.loads(SAMPLE), ensure_ascii=False))
        if shutil.which("curl"):
            assert curl(live, "--data", f"sms_status={encoded}") == "SUCCESS"
        else:
            assert push(live, f"sms_status={encoded}".encode()).body == b"SUCCESS"
    second = dlr(data, "run")
    assert second.returncode == 0, second.stderr
    return data


def _push_everything(live: Live) -> None:
    if shutil.which("curl"):
        # exactly the page's form: curl --data "sms_status=…", unencoded
        assert curl(live, "--data", f"sms_status={SAMPLE}") == "SUCCESS"
    else:
        assert push(live, f"sms_status={SAMPLE}".encode()).body == b"SUCCESS"
    bodies = [form(value) for value in REJECTED.values()]
    bodies += [form([record(2**53 + 1), record(2**63 - 1)])]
    bodies += [form([record(sid) for sid in NO_SIDS])]
    for body in bodies:
        assert push(live, body).body == b"SUCCESS"


@pytest.fixture
def con(data: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published database, as anybody opens it."""
    with duckdb.connect(data / "analytics.duckdb", read_only=True) as con:
        yield con


def test_the_providers_own_sample(con: duckdb.DuckDBPyConnection) -> None:
    columns = (
        "sid, uid, country_code, delivered, handset_time_utc, event_time_utc, error_detail, copies"
    )
    rows = con.execute(
        f"select {columns} from core.sms_status where sid in (9527, 9528) order by sid"
    ).fetchall()
    times = [datetime(2014, 3, 17, 14, 55, 21), datetime(2014, 3, 17, 14, 55, 23)]
    assert rows == [
        (9527, "abc", "CN", True, times[0], times[0], "接收成功", 2),
        (9528, "123", "AF", True, times[1], times[1], "接收成功", 2),
    ]


def test_the_lost_plus_of_the_sample_is_back(data: Path) -> None:
    with duckdb.connect(data / "warehouse.duckdb", read_only=True) as con:
        query = (
            "select mobile, mobile_e164 from core.sms_status where sid in (9527, 9528) order by sid"
        )
        assert con.execute(query).fetchall() == [
            ("15205201314", "+8615205201314"),
            ("+93703334567", "+93703334567"),
        ]
        assert con.execute("select sum(repaired_mobiles) from raw.pushes").fetchall() == [(1,)]


def test_the_second_push_counts_as_duplicates(con: duckdb.DuckDBPyConnection) -> None:
    law = "select records, messages, duplicates, conflicts, rejected, balanced from ops.ledger"
    rows = con.execute(f"{law} order by sequence").fetchall()
    assert rows[1] == (2, 0, 2, 0, 0, True)


@pytest.mark.parametrize("reason", REJECTED)
def test_every_reason_costs_exactly_what_is_bad(
    con: duckdb.DuckDBPyConnection, reason: str
) -> None:
    rows = con.execute(
        """
        select push.records, push.accepted, push.rejected, reject.position
        from raw.rejected_records as reject join raw.pushes as push using (push_id)
        where reject.reason = ? and push.records < ?
        """,
        [reason, len(NO_SIDS)],
    ).fetchall()
    expected = {
        "damaged_json": (2, 1, 1, 1),
        "not_json": (1, 0, 1, None),
        "not_an_array": (1, 0, 1, None),
    }
    assert rows == [expected.get(reason, (3, 2, 1, 1))]


def test_what_is_no_sid_is_rejected_with_its_field_and_value(
    con: duckdb.DuckDBPyConnection,
) -> None:
    rows = con.execute(
        """
        select position, field, value from raw.rejected_records
        where reason = 'bad_sid'
            and push_id = (select push_id from raw.pushes where records = ?)
        order by position
        """,
        [len(NO_SIDS)],
    ).fetchall()
    shown = ["1.5", "1.5", "100000.0", "true", "-0.0", "92****08", "", None, "x", " 1", "[1]"]
    assert rows == [(n, "sid", value) for n, value in enumerate(shown)]


def test_big_sids_survive_to_parquet_and_pandas(data: Path) -> None:
    manifest = json.loads((data / "exports" / "manifest.json").read_text())
    files = [one["path"] for one in manifest["files"] if one["table"] == "core.sms_status"]
    frame = pd.concat(pd.read_parquet(data / "exports" / path) for path in files)
    assert {2**53 + 1, 2**63 - 1} <= {int(sid) for sid in frame["sid"]}


def test_no_mobile_leaves_the_warehouse(data: Path) -> None:
    for path in [*(data / "exports").rglob("*.parquet"), data / "analytics.duckdb"]:
        assert b"15205201314" not in path.read_bytes()
    with duckdb.connect(data / "analytics.duckdb", read_only=True) as con:
        assert con.execute(
            "select distinct mobile from core.sms_status order by all"
        ).fetchall() == [
            ("AF****4567",),
            ("CN****1314",),
        ]


def test_verify_agrees_and_nothing_needs_a_person(data: Path) -> None:
    verified = dlr(data, "verify")
    assert verified.returncode == 0, verified.stdout
    assert "Everything agrees" in verified.stdout
    assert dlr(data, "status").returncode == 0


def test_rebuild_gives_the_same_fingerprint(data: Path, tmp_path: Path) -> None:
    # a copy, for the other tests ask about the runs that made this one
    copy = shutil.copytree(data, tmp_path / "data", symlinks=True)
    rebuilt = dlr(copy, "rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "The same as before." in rebuilt.stdout
    assert dlr(copy, "verify").returncode == 0
