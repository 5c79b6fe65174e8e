"""After an edit, one run makes every row of history what a rebuild makes it; nothing need land."""

import os
import shutil
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.settings import Settings
from pipelines import models
from pipelines.folder.format import stamp
from pipelines.folder.lock import WarehouseError
from pipelines.models.computed import outdated
from pipelines.models.headers import WAREHOUSE
from pipelines.models.warehouse import open_warehouse
from pipelines.runs.rebuild import rebuild_from
from pipelines.runs.status import read_status
from tests.data_folder import form, push, record, run, settings_of, take, warehouse
from tests.edited_warehouse import EditedWarehouse, edited
from tests.pipelines.test_crash import PROCESSES

__all__ = ["edited"]

MARTS = sorted(
    name
    for path in (WAREHOUSE / "marts").glob("*.sql")
    if not models.load_models()[name := f"marts.{path.stem}"].temporary
)
DAYS = [datetime(2026, 3, day, 8, tzinfo=UTC) for day in (2, 3, 5)]
WHEN_IT_RAN = {"ops.ledger", "ops.sends_ledger", "ops.rebuild_changes"}
"""Tables that tell of runs."""


def stored() -> list[str]:
    """Tables that follow from what landed."""
    return [
        model.name
        for model in models.load_models().values()
        if not model.temporary
        and (model.schema != "ops" or model.export)
        and model.name not in WHEN_IT_RAN
    ]


def land(settings: Settings, day: datetime, *batches: list[dict[str, object]]) -> None:
    path = settings.landing / "yunpian" / f"{day:%Y-%m-%d}" / f"{day:%Y%m%dT%H%M%S}.000000Z-a.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    pushes = [
        push(form(batch), push_id=f"{day:%d}-{n}", received_at=day + timedelta(seconds=n))
        for n, batch in enumerate(batches)
    ]
    path.write_bytes(b"".join(one.to_line() for one in pushes))


def report(sid: int, day: datetime, **fields: object) -> dict[str, object]:
    local = day + timedelta(hours=8, seconds=-sid % 50)
    failed = {"report_status": "FAIL", "error_msg": ("MK:0001", "ZZ:77")[sid % 2]}
    time = {"user_receive_time": f"{local:%Y-%m-%d %H:%M:%S}", "uid": f"u{sid}"}
    return record(sid, **(time | (failed if sid % 5 == 0 else {}) | fields))


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days with failures, copies, conflicts, rejects, numbers of two countries, and sends."""
    settings = settings_of(tmp_path_factory.mktemp("origin") / "data")
    for day in DAYS:
        first = 100 * day.day
        batch = [report(first + n, day) for n in range(40)]
        batch += [report(first + n, day, mobile="+93703334567") for n in range(40, 50)]
        land(settings, day, batch, [*batch[:3], report(first, day, error_detail="other")], [{}])
    settings.sends.mkdir()
    lines = [
        f"{sid if sid % 2 else ''},u{sid},{DAYS[0] - timedelta(seconds=9):%Y-%m-%d %H:%M:%S},otp"
        for sid in range(200, 260)
    ]
    sends = "\n".join(["sid,uid,sent_at,tag", *lines])
    (settings.sends / "orders.csv").write_text(sends, encoding="utf-8")
    run(settings)
    return settings.data


@pytest.fixture
def taken(settings: Settings, origin: Path) -> Settings:
    """A copy of the folder, after its first run."""
    shutil.copytree(origin, settings.data, symlinks=True)
    return settings


def rows(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables that follow from what landed."""
    found = {}
    for name in stored():
        columns = ", ".join(f'"{column}"' for column in models.load_models()[name].columns)
        found[name] = warehouse(settings, f"select {columns} from {name} order by all")
    return found


def rebuilt(settings: Settings, folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The same tables, made from a copy of what landed by a warehouse that is new."""
    values = settings.model_dump(exclude_defaults=True) | {"data": folder / "rebuilt"}
    other = settings_of(**values)
    shutil.rmtree(other.data, ignore_errors=True)
    shutil.copytree(settings.landing, other.landing)
    shutil.copytree(settings.sends, other.sends)
    take(other, "rebuilt")
    return rows(other)


def stale(settings: Settings) -> list[str]:
    with open_warehouse(settings, read_only=True) as con:
        return [model.name for model in outdated(con)]


def raised(model: str) -> tuple[str, str]:
    """A mart's SQL, and the same with one more of a figure."""
    one = models.load_models()[model]
    key = one.grain.split(", ")
    figure = next(
        name
        for name, column in reversed(one.columns.items())
        if column.type in ("bigint", "double") and name not in key
    )
    value = f"(coalesce({figure}, 0) + 1)::{one.columns[figure].type}"
    return one.sql, f"select * replace ({value} as {figure}) from ({one.sql})"


def test_a_formula_of_any_mart(taken: Settings, edited: EditedWarehouse, tmp_path: Path) -> None:
    """One edit after another, those that others read first: no later one computes them again."""
    stored_marts = [one.name for one in models.load_models().values() if one.name in MARTS]
    assert sorted(stored_marts) == MARTS
    before = rows(taken)
    for mart in stored_marts:
        edited.replace(f"{mart.replace('.', '/')}.sql", *raised(mart))
        assert stale(taken)[0] == mart
        take(taken)
        assert stale(taken) == []
    after = rows(taken)
    assert [mart for mart in MARTS if after[mart] == before[mart] and before[mart]] == []
    assert after == rebuilt(taken, tmp_path)


def test_what_follows_from_an_edited_mart_is_computed_again(
    taken: Settings, edited: EditedWarehouse
) -> None:
    edited.replace("marts/failures_daily.sql", "count(*) as failures", "2 * count(*) as failures")
    downstream = ("code_coverage_daily", "failures_daily", "suspicious_codes_daily")
    assert set(stale(taken)) == {f"marts.{name}" for name in (*downstream, "unmapped_errors")}
    take(taken)
    counts = "select sum(failures) from marts.code_coverage_daily"
    assert warehouse(taken, counts) == [(2 * 30,)]


NEW_MART = """
/*
description: Messages by operator.
grain: range_operator
materialized: table
export: file
columns:
  range_operator: varchar -- Operator.
  messages: bigint -- Messages.
*/
select range_operator, count(*) as messages
from core.sms_status
group by all
"""


def test_a_new_mart_holds_all_of_history_and_goes_with_its_file(
    taken: Settings, edited: EditedWarehouse, tmp_path: Path
) -> None:
    edited.write("marts/by_operator.sql", NEW_MART)
    run(taken)
    assert warehouse(taken, "select sum(messages) from marts.by_operator") == [(150,)]
    assert rows(taken) == rebuilt(taken, tmp_path)
    edited.remove("marts/by_operator.sql")
    run(taken)
    gone = "select count(*) from duckdb_tables() where table_name = 'by_operator'"
    assert warehouse(taken, gone) == [(0,)]
    assert warehouse(taken, "select count(*) from ops.models where model like '%by_operator'") == [
        (0,)
    ]


def test_columns_of_a_mart_come_go_and_change_their_type(
    taken: Settings, edited: EditedWarehouse, tmp_path: Path
) -> None:
    mart = "marts/latency_buckets_hourly.sql"
    edited.replace(mart, "  n: bigint --", "  m: double -- Half.\n  n: integer --")
    edited.replace(mart, "sum(n)::bigint as n", "sum(n)::integer as n, sum(n) / 2 as m")
    take(taken)
    assert rows(taken) == rebuilt(taken, tmp_path)
    edited.replace(mart, "  m: double -- Half.\n", "")
    edited.replace(mart, ", sum(n) / 2 as m", "")
    take(taken)
    assert rows(taken) == rebuilt(taken, tmp_path)


def test_a_column_of_sms_status_comes_and_goes(
    taken: Settings, edited: EditedWarehouse, tmp_path: Path
) -> None:
    table = "core/sms_status.sql"
    edited.replace(table, "  tag: varchar", "  digits: bigint -- Digits.\n  tag: varchar")
    edited.replace(table, "    send.tag\n", "    length(winner.mobile) as digits,\n    send.tag\n")
    take(taken)
    found = rows(taken)
    assert found == rebuilt(taken, tmp_path)
    assert warehouse(taken, "select count(digits) from core.sms_status") == [(150,)]
    edited.replace(table, "  digits: bigint -- Digits.\n", "")
    edited.replace(table, "    length(winner.mobile) as digits,\n", "")
    take(taken)
    assert rows(taken) == rebuilt(taken, tmp_path)


def test_a_column_that_only_landed_files_know_is_refused(
    taken: Settings, edited: EditedWarehouse
) -> None:
    before = warehouse(taken, "from core.sms_status order by sid")
    edited.replace("core/sms_status.sql", "  error_detail: varchar -- error_detail as sent.\n", "")
    with pytest.raises(WarehouseError, match=r"column error_detail of core\.sms_status holds what"):
        take(taken)
    assert warehouse(taken, "from core.sms_status order by sid") == before


def test_a_function(taken: Settings, edited: EditedWarehouse, tmp_path: Path) -> None:
    edited.replace(
        "functions/rates.sql", "then part::double / whole", "then 2 * part::double / whole"
    )
    assert "marts.delivery_hourly" in stale(taken)
    assert "core.sms_status" not in stale(taken)
    take(taken)
    assert rows(taken) == rebuilt(taken, tmp_path)


def test_a_carrier_code(taken: Settings, edited: EditedWarehouse, tmp_path: Path) -> None:
    path = "reference/carrier_errors.csv"
    text = (edited.folder / path).read_text(encoding="utf-8")
    line = next(one for one in text.splitlines() if one.startswith("china_mobile,MK:0001,"))
    edited.replace(path, line, line.replace("MK:0001", "ZZ:77"))
    run(taken)
    assert rows(taken) == rebuilt(taken, tmp_path)
    moved = "select what, before, rows from ops.rebuild_changes where what = 'category'"
    assert warehouse(taken, moved)
    assert read_status(taken).problems == []


def test_settings(taken: Settings, tmp_path: Path) -> None:
    """Each on top of the one before, and all taken back at once."""
    first = before = rows(taken)
    values: dict[str, str] = {}
    for setting, value in {
        "provider_timezone": "America/New_York",
        "default_region": "FR",
        "sends_timezone": "Asia/Tokyo",
    }.items():
        values[setting] = value
        other = settings_of(taken.data, **values)
        assert read_status(other).problems or setting == "sends_timezone"
        run(other)
        after = rows(other)
        assert after == rebuilt(other, tmp_path)
        assert after != before
        assert read_status(other).problems == []
        before = after
    run(taken)
    assert rows(taken) == first


def test_words_layout_and_order_of_the_file_ask_for_nothing(
    taken: Settings, edited: EditedWarehouse
) -> None:
    run(taken)
    edited.replace(
        "marts/as_of.sql", "select\n", "/* reads from core.sms_status */ SELECT -- all\n"
    )
    edited.replace("marts/as_of.sql", "description: The time", "description: The very time")
    edited.replace(
        "steps/messages/winning_reports.sql",
        "with repeated as (",
        "-- join marts.as_of\nwith repeated as (",
    )
    assert stale(taken) == []
    assert run(taken).written == 0


def test_a_table_named_in_a_comment_is_no_dependency(edited: EditedWarehouse) -> None:
    """Today's graph is a circle by this comment alone, and every command ends in a traceback."""
    edited.replace(
        "steps/messages/handset_times.sql",
        "with sent as (",
        "-- from core.sms_status\nwith sent as (",
    )
    assert "core.sms_status" not in models.catalog.read_by()["handset_times"]


def test_models_that_read_each_other_are_named(edited: EditedWarehouse) -> None:
    edited.replace(
        "steps/messages/numbers.sql",
        "from changed_mobiles",
        "from changed_mobiles join winning_reports on 1=1",
    )
    edited.replace(
        "steps/messages/winning_reports.sql",
        "from ranked_reports as",
        "from numbers, ranked_reports as",
    )
    with pytest.raises(models.ModelError, match=r"in a circle: \w+ reads \w+"):
        models.load_models()


def test_broken_sql_is_one_sentence(edited: EditedWarehouse) -> None:
    edited.replace("marts/as_of.sql", "select\n", "selec\n")
    with pytest.raises(models.ModelError, match=r"as_of\.sql: .*syntax error"):
        models.load_models()


def test_only_decoding_needs_landed_files_and_status_names_the_days(
    taken: Settings, edited: EditedWarehouse, tmp_path: Path
) -> None:
    edited.replace(
        "steps/decode/fast_elements.sql",
        "else record.mobile\n",
        "else 'x' || record.mobile\n",
    )
    assert stale(taken) == []
    run(taken)
    [problem] = read_status(taken).problems
    assert problem == (
        "3 landing days from 2026-03-02 to 2026-03-05 were decoded by rules that changed since; "
        "`dlr rebuild --from 2026-03-02` decodes them again."
    )
    rebuild_from(taken, "later", DAYS[1].date())
    [problem] = read_status(taken).problems
    assert problem.startswith("The landing day 2026-03-02 was decoded")
    rebuild_from(taken, "all", DAYS[0].date())
    assert read_status(taken).problems == []
    assert rows(taken) == rebuilt(taken, tmp_path)


def recompute_and_die(data: Path) -> None:
    """In a process of its own: killed after the second of many batches, in another zone."""
    from pipelines.load import recompute

    recompute._MOST_IN_BATCH = 20
    settle, left = recompute.settle, [3]

    def die(*words: Any, **more: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return settle(*words, **more)

    recompute.settle = die
    take(settings_of(data, provider_timezone="UTC"))


def test_killed_amid_it_the_next_run_completes_it(taken: Settings, tmp_path: Path) -> None:
    child = PROCESSES.Process(target=recompute_and_die, args=(taken.data,))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    moved_zone = settings_of(taken.data, provider_timezone="UTC")
    assert stale(moved_zone)
    take(moved_zone)
    assert rows(moved_zone) == rebuilt(moved_zone, tmp_path)
    assert warehouse(taken, "select bool_and(balanced) from ops.ledger") == [(True,)]


def test_many_batches_give_what_one_gives(
    taken: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.load.recompute._MOST_IN_BATCH", 40)
    moved_zone = settings_of(taken.data, provider_timezone="UTC")
    take(moved_zone)
    assert rows(moved_zone) == rebuilt(moved_zone, tmp_path)


def test_an_untouched_folder_computes_nothing(taken: Settings) -> None:
    noted = warehouse(taken, "from ops.models order by all")
    stamp(taken)
    assert stale(taken) == []
    assert not take(taken).took_anything
    assert warehouse(taken, "from ops.models order by all") == noted
