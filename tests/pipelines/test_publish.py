"""What readers get: consistent, typed, masked, and no more work than what changed."""

import hashlib
import json
import math
import os
import stat
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import NormalDist
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.settings import Settings
from pipelines import models
from pipelines.folder.show import analytics_path, manifest_path
from pipelines.models.warehouse import open_warehouse
from pipelines.publish import compaction_plan
from pipelines.publish.compaction_plan import plan
from pipelines.publish.data_files import DataFile
from pipelines.publish.manifest import GRACE_S
from pipelines.publish.publish import UnbalancedError, can_publish, publish
from tests.data_folder import (
    FIRST,
    ask,
    form,
    land,
    push,
    record,
    run,
    settings_of,
    take,
    warehouse,
)


def manifest(settings: Settings) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(manifest_path(settings).read_text())
    return content


def listed(settings: Settings, table: str = "core.sms_status") -> list[Path]:
    """Files of one table, as the manifest has them."""
    folder = manifest_path(settings).parent
    return [folder / one["path"] for one in manifest(settings)["files"] if one["table"] == table]


def data_files(settings: Settings) -> set[Path]:
    """Parquet files that lie in the exports; links to them are left out."""
    found = manifest_path(settings).parent.rglob("*.parquet")
    return {path for path in found if not path.is_symlink()}


def land_at(
    settings: Settings,
    sid: int,
    at: datetime,
    received_at: datetime | None = None,
    **fields: object,
) -> None:
    """Land one report of an event at ``at``, received two seconds later or when it is said."""
    local = (at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    body = form([record(sid, user_receive_time=local, **fields)])
    received = received_at or at + timedelta(seconds=2)
    n = sid + 100 * len(fields)
    land(settings, [push(body, n, received_at=received)], str(n))


def test_big_sids_survive_to_parquet_and_pandas(settings: Settings) -> None:
    sids = [2**53 + 1, 2**63 - 1]
    land(settings, [push(form([record(sid) for sid in sids]))])
    run(settings)
    frame = pd.concat(pd.read_parquet(path) for path in listed(settings))
    assert sorted(int(sid) for sid in frame["sid"]) == sids
    assert str(frame["sid"].dtype) == "int64"
    assert ask(settings, "select sid from core.sms_status order by sid") == [(sid,) for sid in sids]


def test_the_manifest_is_true(settings: Settings) -> None:
    for n in range(3):
        land_at(settings, n, FIRST + timedelta(hours=n))
    run(settings)
    head = manifest(settings)
    assert head["schema_version"] == models.schema_version()
    assert head["as_of_utc"] == "2026-03-02T10:00:02"
    [(fingerprint,)] = ask(settings, "select fingerprint from ops.ledger")
    assert head["fingerprint"] == fingerprint
    folder = manifest_path(settings).parent
    for file in head["files"]:
        data = (folder / file["path"]).read_bytes()
        assert file["bytes"] == len(data)
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
        assert file["rows"] == pq.read_metadata(folder / file["path"]).num_rows
    assert data_files(settings) == {folder / file["path"] for file in head["files"]}
    others = (head["database"], head["report"], *head["dictionary"])
    assert [file["path"] for file in others] == [
        "../analytics.duckdb",
        "report.html",
        "dictionary.md",
        "dictionary.html",
    ]
    for file in others:
        data = (folder / file["path"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert (head["report"]["as_of_utc"], head["report"]["problem"]) == (head["as_of_utc"], None)
    assert head["retired"] == []


def test_every_table_and_column_of_the_published_database_is_described(settings: Settings) -> None:
    run(settings)
    with duckdb.connect(analytics_path(settings), read_only=True) as con:
        names = "schema_name || '.' || view_name, comment"
        views = con.execute(f"select {names} from duckdb_views() where not internal").fetchall()
        columns = con.execute(
            "select table_name, column_name, comment from duckdb_columns() where not internal"
        ).fetchall()
    assert {name for name, _ in views} == {
        name for name, model in models.load_models().items() if model.export
    }
    assert all(comment for *_, comment in views + columns)


def test_types_are_the_pinned_ones_with_and_without_rows(settings: Settings) -> None:
    for landed in (False, True):
        if landed:
            land(settings, [push(form([record(1), record(2, report_status="FAIL"), 3]))])
        run(settings)
        for model in models.load_models().values():
            if model.export:
                types = {row[0]: row[1].lower() for row in ask(settings, f"describe {model.name}")}
                assert types == {name: one.type for name, one in model.columns.items()}


def test_an_older_duckdb_could_open_it(settings: Settings) -> None:
    run(settings)
    with duckdb.connect() as con:
        con.execute(f"attach '{analytics_path(settings)}' as published (read_only)")
        [(tags,)] = con.execute(
            "select tags from duckdb_databases() where database_name = 'published'"
        ).fetchall()
    assert tags["storage_version"].startswith("v1.2")


def test_nothing_new_writes_nothing(settings: Settings) -> None:
    land_at(settings, 1, FIRST)
    assert run(settings).published
    before = {path: path.stat().st_mtime_ns for path in settings.data.rglob("exports/**/*")}
    assert not run(settings).published
    assert {path: path.stat().st_mtime_ns for path in settings.data.rglob("exports/**/*")} == before


def test_only_the_parts_that_changed_are_written(settings: Settings) -> None:
    for n in range(5):
        land_at(settings, n, FIRST + timedelta(hours=n))
    run(settings)
    before = set(listed(settings))
    land_at(settings, 9, FIRST + timedelta(hours=7))
    run(settings)
    after = set(listed(settings))
    assert before < after
    assert len(after - before) == 1
    assert ask(settings, "select count(*) from core.sms_status") == [(6,)]


def test_a_report_that_moves_its_message_to_another_day_leaves_no_copy(settings: Settings) -> None:
    land_at(settings, 1, FIRST, report_status="FAIL")
    run(settings)
    land_at(settings, 1, FIRST + timedelta(days=1), error_msg="", uid="late")
    run(settings)
    assert ask(settings, "select event_time_utc::date::text from core.sms_status") == [
        ("2026-03-03",)
    ]
    assert [path.parent.name for path in listed(settings)] == ["event_date=2026-03-03"]
    days = "select day_utc::text, reports from marts.delivery_daily"
    assert ask(settings, days) == [("2026-03-03", 1)]
    assert ask(settings, "select count(*) from marts.failures_daily") == [(0,)]


def test_what_arrives_joins_the_small_piece_before_it_and_leaves_large_ones(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction_plan, "MOST_ROWS", 4)
    seen: set[Path] = set()
    sizes = []
    for n in range(7):
        land_at(settings, n, FIRST + timedelta(minutes=n))
        run(settings)
        sizes.append([pq.read_metadata(path).num_rows for path in listed(settings)])
        seen |= set(listed(settings))
    assert sizes == [[1], [2], [3], [3, 1], [3, 2], [3, 3], [3, 3, 1]]
    assert len(seen) == 7, "what was full was not written again"
    assert ask(settings, "select count(*) from core.sms_status") == [(7,)]


def test_a_late_report_writes_the_piece_of_its_message_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction_plan, "MOST_ROWS", 2)
    for n in range(6):
        land_at(settings, n, FIRST + timedelta(minutes=n))
    run(settings)
    before = listed(settings)
    assert len(before) == 3
    land_at(settings, 2, FIRST + timedelta(minutes=2), uid="another")
    run(settings)
    after = listed(settings)
    assert len(set(after) - set(before)) == len(set(before) - set(after)) == 1
    assert ask(settings, "select count(*), sum(copies) from core.sms_status") == [(6, 7)]


def test_finished_days_in_many_pieces_are_put_together(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction_plan, "MOST_ROWS", 1)
    for n in range(6):
        land_at(settings, n, FIRST + timedelta(hours=n))
    run(settings)
    assert len(listed(settings)) == 6
    land_at(settings, 8, FIRST + timedelta(days=9))
    run(settings)
    assert [path.name.partition("-")[0] for path in listed(settings)] == [
        "20260302T0800",
        "20260311T0800",
    ]
    [whole, _] = listed(settings)
    land_at(settings, 9, FIRST, received_at=FIRST + timedelta(days=2))
    run(settings)
    assert len(listed(settings)) == 3
    assert whole in listed(settings), "a late report does not rewrite its day"
    land_at(settings, 0, FIRST, uid="conflict in the day put together")
    run(settings)
    assert whole not in listed(settings)
    assert ask(settings, "select count(*), sum(copies) from core.sms_status") == [(8, 9)]


@given(st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), min_size=1), min_size=1))
def test_a_plan_never_lets_two_files_hold_one_row_and_leaves_none_out(
    runs: list[list[tuple[int, int]]],
) -> None:
    """Whatever comes in which minutes, run after run, the files hold every minute once."""
    day = FIRST.date()
    start = datetime(2026, 3, 2)
    minute = timedelta(minutes=1)
    rows: Counter[datetime] = Counter()

    def count(stretch: DataFile) -> dict[datetime, int]:
        return {at: n for at, n in rows.items() if stretch.start <= at <= stretch.end}

    current: list[DataFile] = []
    for n, arrivals in enumerate(runs):
        for at, more in arrivals:
            rows[start + at * minute] += more
        stale = [
            DataFile("core.sms_status", day, at) for at in {start + m * minute for m, _ in arrivals}
        ]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compaction_plan, "MOST_ROWS", 10)
            keep, write = plan(current, stale, count)
        assert set(keep) <= set(current)
        current = keep + [
            replace(file, path=f"{n}/{m}", rows=sum(count(file).values()))
            for m, file in enumerate(write)
        ]
        held = [at for file in current for at in count(file)]
        assert sorted(held) == sorted(rows)
        assert all(file.rows for file in current)


def test_an_event_before_its_reception_day_is_filed_by_its_own_day(settings: Settings) -> None:
    at = datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)
    land_at(settings, 1, at)
    run(settings)
    [path] = listed(settings)
    assert path.parent.name == "event_date=2026-03-02"
    assert path.name.startswith("20260303T0000-")


@pytest.mark.parametrize(
    ("mode", "extra", "mobile", "e164"),
    [
        ("masked", {}, "CN****1314", "CN****1314"),
        ("plain", {}, "15205201314", "+8615205201314"),
    ],
)
def test_how_mobiles_are_written(
    tmp_path: Path, mode: str, extra: dict[str, str], mobile: str, e164: str
) -> None:
    settings = settings_of(tmp_path, export_mobile=mode, **extra)
    batch = [record(1), record(1, uid="other"), "15205201314 called"]
    land(settings, [push(form(batch))])
    run(settings)
    assert ask(settings, "select mobile, mobile_e164 from core.sms_status") == [(mobile, e164)]
    whole = b"".join(path.read_bytes() for path in settings.data.rglob("exports/**/*.parquet"))
    tables = [f"from {name}" for name, model in models.load_models().items() if model.export]
    text = str([ask(settings, query) for query in tables])
    assert ("15205201314" in text) == (mode == "plain")
    assert whole


@pytest.mark.parametrize("repeated", [1, 4], ids=["short key", "key longer than a block"])
def test_hashed_mobiles_need_their_key_to_be_guessed(tmp_path: Path, repeated: int) -> None:
    import hmac

    key = repeated * "a key for tests, kept elsewhere"
    settings = settings_of(tmp_path, export_mobile="hashed", export_mobile_key=key)
    land(settings, [push(form([record(1)]))])
    run(settings)
    expected = hmac.new(key.encode(), b"15205201314", "sha256").hexdigest()
    assert ask(settings, "select mobile from core.sms_status") == [(expected,)]


def test_another_way_of_writing_mobiles_rewrites_everything(settings: Settings) -> None:
    land(settings, [push(form([record(1)]))])
    run(settings)
    plain = settings_of(settings.data, export_mobile="plain")
    assert run(plain).published
    assert ask(plain, "select mobile from core.sms_status") == [("15205201314",)]


def test_lost_exports_are_made_again(settings: Settings) -> None:
    land(settings, [push(form([record(1)]))])
    run(settings)
    listed(settings)[0].unlink()
    assert run(settings).published
    assert ask(settings, "select count(*) from core.sms_status") == [(1,)]


def test_an_unbalanced_ledger_publishes_nothing(settings: Settings) -> None:
    land(settings, [push(form([record(1), record(2)]))])
    run(settings)
    before = manifest_path(settings).read_bytes()
    warehouse(settings, "delete from core.sms_status where sid = 1")
    land(settings, [push(form([record(3)]), 3)], "b")
    with pytest.raises(UnbalancedError, match="does not balance: 3 records received"):
        run(settings)
    assert manifest_path(settings).read_bytes() == before
    assert ask(settings, "select count(*) from core.sms_status") == [(2,)]


@pytest.mark.parametrize("books", ["ops.ledger", "ops.sends_ledger"])
def test_what_must_not_be_published_is_not_asked_for_either(settings: Settings, books: str) -> None:
    land(settings, [push(form([record(1)]))])
    settings.sends.mkdir()
    (settings.sends / "log.csv").write_text("sid,sent_at\n1,2026-03-02 07:59:55\n")
    take(settings)
    with open_warehouse(settings) as con:
        assert can_publish(con, settings)
        con.execute(f"update {books} set balanced = false")
        assert not can_publish(con, settings)
        with pytest.raises(UnbalancedError, match="does not balance"):
            publish(con, settings)


def test_replaced_files_stay_for_the_grace_period_only(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_at(settings, 1, FIRST)
    run(settings)
    [old] = listed(settings)
    trees = list((old.parents[2] / ".current").iterdir())
    land_at(settings, 2, FIRST)
    before = datetime.now(UTC).replace(tzinfo=None)
    run(settings)
    assert old.exists(), "a reader may follow the old manifest still"
    until = {one["path"]: one["until_utc"] for one in manifest(settings)["retired"]}
    left = datetime.fromisoformat(until[str(old.relative_to(old.parents[2]))]) - before
    assert GRACE_S <= left.total_seconds() < GRACE_S + 60
    assert trees[0].exists()
    monkeypatch.setattr("pipelines.publish.manifest.now_utc", lambda: before + timedelta(hours=3))
    monkeypatch.setattr("pipelines.publish.manifest.GRACE_S", 0.0)
    land_at(settings, 3, FIRST)
    run(settings)
    assert not old.exists()
    assert not trees[0].exists()
    assert manifest(settings)["retired"] == []
    assert ask(settings, "select count(*) from core.sms_status") == [(3,)]


def test_all_is_on_disk_before_it_is_named_and_the_manifest_comes_last(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Python syncs and renames, in order; what a power cut leaves follows from it."""
    events: list[tuple[str, Path]] = []
    real_fsync, real_replace, real_rename = os.fsync, Path.replace, Path.rename

    def fsync(descriptor: int) -> None:
        real_fsync(descriptor)
        events.append(("synced", Path(f"/proc/self/fd/{descriptor}").readlink()))

    def note_replace(self: Path, target: Path) -> Path:
        events.append(("named", target))
        return real_replace(self, target)

    def note_rename(self: Path, target: Path) -> Path:
        events.append(("named", target))
        return real_rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    monkeypatch.setattr(Path, "rename", note_rename)
    land(settings, [push(form([record(1)]))])
    run(settings)
    data, folder = settings.data, manifest_path(settings).parent
    exports = [folder / file["path"] for file in manifest(settings)["files"]]
    links = [path.parent for path in (folder / "current").resolve().rglob("*.parquet")]
    prepared = folder / ".prepared"
    ready = events.index(("named", folder / ".ready"))
    before = {path for what, path in events[:ready] if what == "synced"}
    papers = [prepared / name for name in ("dictionary.md", "report.html", "manifest.json")]
    hidden = [data / ".analytics.duckdb.prepared", data, prepared, *papers]
    assert {*exports, *(path.parent for path in exports), *links, *hidden} <= before
    after = events[ready + 1 :]
    assert after[0] == ("synced", folder), "the mark is on disk before anything is shown"
    shown = [path for what, path in after if what == "named"]
    assert (shown[0], shown[-1]) == (analytics_path(settings), manifest_path(settings))
    last = after.index(("named", manifest_path(settings)))
    assert {("synced", data), ("synced", folder)} <= set(after[last:])


def test_what_is_stored_is_private_to_its_owner(settings: Settings) -> None:
    land(settings, [push(form([record(1)]))])
    run(settings)
    made = [analytics_path(settings), manifest_path(settings), *listed(settings)]
    made.append(settings.data / "warehouse.duckdb")
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}


def test_marts_add_up(settings: Settings) -> None:
    batch = [record(n, report_status="FAIL" if n % 3 else "SUCCESS") for n in range(30)]
    land(settings, [push(form(batch))])
    take(settings)
    run(settings)
    head = "sum(reports), sum(delivered), sum(failed)"
    for mart in ("marts.delivery_hourly", "marts.delivery_daily"):
        assert ask(settings, f"select {head} from {mart}") == [(30, 10, 20)]
    assert ask(settings, "select sum(failures), sum(share) from marts.failures_daily") == [(20, 1)]
    assert ask(settings, "select sum(n) from marts.latency_buckets_hourly") == [(10,)]
    assert ask(settings, "select n, p50_s, coverage from marts.latency_hourly") == [(10, 3.0, 1.0)]
    health = "select pushes, records, accepted, p95_report_lag_s from marts.push_health_hourly"
    assert ask(settings, health) == [(1, 30, 30, 3.0)]
    rate = "reported_delivery_rate, reported_delivery_rate_low, reported_delivery_rate_high"
    [found] = ask(settings, f"select {rate} from marts.delivery_daily")
    assert found == pytest.approx((1 / 3, *wilson(10, 30)))


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 % interval as Wilson has it: where the score test does not reject."""
    z = NormalDist().inv_cdf(0.975)

    def edge(inside: float, outside: float) -> float:
        for _ in range(60):
            middle = (inside + outside) / 2
            score = abs(part / whole - middle) / math.sqrt(middle * (1 - middle) / whole)
            inside, outside = (middle, outside) if score < z else (inside, middle)
        return inside

    return edge(part / whole, 0.0), edge(part / whole, 1.0)
