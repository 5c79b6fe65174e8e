"""`dlr model`: models listed, and one run alone over the data at hand, which changes nothing."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from contract.settings import Settings
from pipelines import models
from pipelines.folder.lock import WarehouseBusyError, pipeline_lock
from pipelines.models.catalog import known_models
from pipelines.models.preview import open_stored, prepare_preview, script_of
from pipelines.models.steps import rows_of
from tests.data_folder import FIRST, form, land, push, record, settings_of, take
from tests.edited_warehouse import EditedWarehouse, edited
from tests.pipelines.test_crash import PROCESSES

__all__ = ["edited"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Copies, a conflict, rejects, a push for the slow path, and sends."""
    settings = settings_of(tmp_path_factory.mktemp("model") / "data")
    failed = {"report_status": "FAIL", "error_msg": "ZZ:77"}
    bodies = [
        form([record(1), record(2, **failed), record(3)]),
        form([record(1), record(2), {}]),
        b"sms_status=%5B%7B",
    ]
    land(settings, [push(body, n) for n, body in enumerate(bodies)])
    settings.sends.mkdir()
    at = f"{FIRST - timedelta(seconds=9):%Y-%m-%d %H:%M:%S}"
    lines = ["sid,uid,sent_at,tag", f"1,abc,{at},otp", f"9,none,{at},otp"]
    (settings.sends / "orders.csv").write_text("\n".join(lines), encoding="utf-8")
    take(settings)
    return settings


@pytest.fixture
def here(folder: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DLR_DATA", str(folder.data))
    return folder


def digests(data: Path) -> dict[str, str]:
    return {
        str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in data.rglob("*")
        if path.is_file()
    }


def test_every_model_can_be_shown_and_nothing_changes(here: Settings, capsys: Any) -> None:
    """Steps between two states of a warehouse have rows in a run alone, and say so."""
    before = digests(here.data)
    for name, model in models.load_models().items():
        status, said = main(["model", "show", name, "--limit", "3"]), capsys.readouterr().err
        of_a_run = model.folder in ("steps/rebuild", "steps/retract", "steps/registry")
        assert status == 0 or (of_a_run and "which only a run makes" in said), said
    assert digests(here.data) == before


@pytest.mark.parametrize(
    "name", [name for name, model in models.load_models().items() if model.is_computed]
)
def test_a_table_is_shown_as_it_is_stored(here: Settings, name: str) -> None:
    """Over all of history a model's SELECT gives what runs have stored."""
    model = models.load_models()[name]
    columns = ", ".join(f'"{column}"' for column in model.columns)
    with open_stored(here) as con:
        assert prepare_preview(con, model) == []
        shown = con.execute(f"select {columns} from ({rows_of(model)}) order by all").fetchall()
        kept = con.execute(f"select {columns} from stored.{name} order by all").fetchall()
    assert shown == kept


def show(capsys: Any, *words: str) -> str:
    assert main(["model", "show", *words, "--format", "csv"]) == 0
    return str(capsys.readouterr().out)


def test_rows_can_be_chosen(here: Settings, capsys: Any) -> None:
    assert show(capsys, "winning_reports", "--where", "sid = 2").count("\n") == 2
    assert show(capsys, "core.sms_status", "--limit", "1").count("\n") == 2


def test_an_edit_is_shown_in_the_mart_and_in_what_follows_from_it(
    here: Settings, edited: EditedWarehouse, capsys: Any
) -> None:
    edited.replace("marts/delivery_hourly.sql", "count(*) as reports", "7 * count(*) as reports")
    assert "21" in show(capsys, "marts.delivery_hourly", "--where", "reports > 7")
    assert "21" in show(capsys, "marts.delivery_daily", "--where", "reports > 7")


def test_decoding_is_shown_of_the_newest_landed_file(here: Settings, capsys: Any) -> None:
    assert main(["model", "show", "new_rejects", "--format", "csv"]) == 0
    output = capsys.readouterr()
    assert output.err.startswith("Decoded from yunpian/2026-03-02/")
    assert "bad_sid" in output.out
    assert "damaged_json" in output.out or "not_json" in output.out


def test_the_sql_is_a_script_of_every_step_and_the_select(here: Settings, capsys: Any) -> None:
    assert main(["model", "show", "marts.delivery_daily", "--sql"]) == 0
    script = capsys.readouterr().out
    assert script.index("temp table watermark as") < script.index("temp table turned_unknown as")
    assert script.rstrip().endswith("from daily;")
    with open_stored(here) as con:
        for statement in con.extract_statements(script_of(known_models()["marts.delivery_daily"])):
            rows = con.execute(statement.query).fetchall()
    assert rows


def test_every_line_of_the_list_fits_a_terminal(here: Settings, capsys: Any) -> None:
    assert main(["model", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    head = next(line for line in lines if line.startswith("core.sms_status"))
    assert head.split() == ["core.sms_status", "incremental", "3", "rows"]
    names = {line.split()[0] for line in lines if not line.startswith(" ")}
    assert names == models.load_models().keys()


def test_a_wrong_name_and_a_folder_without_a_warehouse_are_one_sentence(
    here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    assert main(["model", "show", "marts.delivery_dayly"]) == 1
    assert "Did you mean marts.delivery_daily" in capsys.readouterr().err
    assert main(["model", "show", "numbers", "--where", "colour = 1"]) == 1
    assert "numbers cannot be shown: " in capsys.readouterr().err
    monkeypatch.setenv("DLR_DATA", str(tmp_path / "none"))
    assert main(["model", "show", "numbers"]) == 1
    assert "`dlr run` makes it." in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def hold_the_lock(data: Path, ready: Any, done: Any) -> None:
    with pipeline_lock(settings_of(data)):
        ready.set()
        done.wait(60)


def test_while_a_run_works_it_waits_and_then_says_so(here: Settings) -> None:
    ready, done = PROCESSES.Event(), PROCESSES.Event()
    child = PROCESSES.Process(target=hold_the_lock, args=(here.data, ready, done))
    child.start()
    try:
        assert ready.wait(60)
        with pytest.raises(WarehouseBusyError, match="Another run"), open_stored(here, 0.1):
            pass
    finally:
        done.set()
        child.join(60)
