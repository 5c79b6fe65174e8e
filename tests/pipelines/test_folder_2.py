"""A data folder of format 2, made by commit d302e0a (tests/fixtures), meets today's version."""

import json
import tarfile
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cli.main import main
from contract.settings import Settings
from pipelines.definitions import defs
from pipelines.folder.format import FORMAT
from pipelines.runs.event_log import EventLog
from pipelines.runs.status import read_status
from pipelines.service.dagster_state import LOCATION
from pipelines.verify import verify
from tests.command import dlr
from tests.data_folder import warehouse
from tests.pipelines.old_folder import archive_of, dagster_of, unpack, unpack_and_run
from tests.pipelines.test_edited_models import rebuilt, rows

UNREADABLE = ("yunpian/2026-03-05/20260305T085000.000000Z-0005.jsonl", "weather.csv")
OTHER_WORDS = {"as_of_utc", "problem", "quarantined", "quarantined_sends", "problems", "warnings"}
"""Parts of `dlr status --json` whose sentences may be put in other words."""

JOBS = {"housekeeping", "refresh"}
SCHEDULES = {"daily_housekeeping", "hourly_refresh"}
SENSORS = {"landed_files_sensor"}
OPS = {"compact_landed_files", "forget_old_runs", "load", "marts", "publish"}
ASSETS = {
    "core/carrier_errors",
    "core/conflicting_reports",
    "core/repeated_reports",
    "core/sends",
    "core/sms_status",
    "exports/analytics_duckdb",
    "exports/parquet",
    "landing/sends",
    "landing/yunpian",
    "marts/as_of",
    "marts/code_coverage_daily",
    "marts/delivery_daily",
    "marts/delivery_hourly",
    "marts/failures_daily",
    "marts/latency_buckets_hourly",
    "marts/latency_hourly",
    "marts/push_health_hourly",
    "marts/suspicious_codes_daily",
    "marts/unmapped_errors",
    "ops/ledger",
    "ops/ledger_by_file",
    "ops/rebuild_changes",
    "ops/sends_ledger",
    "raw/pushes",
    "raw/rejected_records",
    "raw/rejected_sends",
    "raw/sends",
}
"""What Dagster's history and switches are kept under: a name that changes loses them."""


def status_then() -> dict[str, Any]:
    """What version 2 said of the folder."""
    with tarfile.open(archive_of(2)) as archive:
        file = archive.extractfile("status.json")
        assert file is not None
        said: dict[str, Any] = json.load(file)
    return said


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return unpack(2, tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return unpack_and_run(2, tmp_path_factory.mktemp("upgraded"))


def of(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: Any, *words: str) -> Any:
    """Exit code and standard output of a command."""
    monkeypatch.setenv("DLR_DATA", str(settings.data))
    code = main(words)
    printed = capsys.readouterr()
    assert printed.err == ""
    return code, printed.out


def figures(status: dict[str, Any]) -> dict[str, Any]:
    """A state without what is said in sentences, and without what depends on the place."""
    kept = {name: value for name, value in status.items() if name not in OTHER_WORDS}
    kept["published"] = {
        name: kept["published"][name] for name in ("schema_version", "fingerprint", "as_of_utc")
    }
    kept["ledger"] = {**kept["ledger"], "code_version": None}
    return kept


def test_status_says_of_it_what_it_said(
    old: Settings, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    code, text = of(old, monkeypatch, capsys, "status", "--json")
    now, then = json.loads(text), status_then()
    assert code == 1
    assert {name: figures(now)[name] for name in figures(then)} == figures(then)
    assert len(now["problems"]) == len(then["problems"]) == len(UNREADABLE)
    for problem, file in zip(now["problems"], UNREADABLE, strict=True):
        assert file in problem
    assert now["quarantined"].keys() == {UNREADABLE[0]}
    assert now["quarantined_sends"].keys() == {UNREADABLE[1]}
    assert (now["outdated"], now["decoded_otherwise"]) == ([], [])


@pytest.mark.parametrize(
    "words",
    [("sql", "select count(*) as n from core.sms_status", "--format", "csv"), ("report",)],
    ids=lambda words: words[0],
)
def test_who_only_reads_takes_it_as_it_is(
    old: Settings, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(old.data)
    code, text = of(old, monkeypatch, capsys, *words)
    assert code == 0
    assert "188" in text or words[0] == "report"
    assert (old.data / "format").read_text() == "2\n"


def test_verify_finds_only_what_cannot_be_read(old: Settings) -> None:
    recount = verify(old)
    others = [
        str(finding)
        for finding in recount.findings
        if UNREADABLE[0] not in str(finding) and "exports/report.html" not in str(finding)
    ]
    assert (others, recount.messages, recount.sends) == ([], 188, 125)


def test_a_run_brings_it_up_to_date(upgraded: Settings) -> None:
    assert (upgraded.data / "format").read_text() == f"{FORMAT}\n"
    for table, file in zip(("ops.files", "ops.send_files"), UNREADABLE, strict=True):
        states = warehouse(upgraded, f"select file, state from {table}")
        assert (file, "quarantined") in states
        assert "set_apart" not in {state for _, state in states}


def test_nothing_is_computed_again(old: Settings, upgraded: Settings) -> None:
    query = "select model, computed_at_utc, run_id, rows from ops.models order by model"
    then = {name: rest for name, *rest in warehouse(old, query)}
    now = {name: rest for name, *rest in warehouse(upgraded, query)}
    assert {name: now[name] for name in then} == then
    days = warehouse(upgraded, "select landing_day from ops.decoded_days order by all")
    assert days == warehouse(old, "select landing_day from ops.decoded_days order by all")


def test_no_rebuild_is_asked_for(upgraded: Settings) -> None:
    status = read_status(upgraded)
    assert len(status.problems) == len(UNREADABLE)
    assert (status.outdated, status.decoded_otherwise, status.pending_files) == ([], [], 0)
    run = dlr(upgraded.data, "run")
    assert "Nothing new; readers have everything.\n" in run.stdout


def test_it_is_what_a_rebuild_makes(upgraded: Settings, tmp_path: Path) -> None:
    assert rows(upgraded) == rebuilt(upgraded, tmp_path)


def test_dagsters_history_and_switches_are_kept(
    upgraded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dagster_of(upgraded, monkeypatch) as instance:
        runs = instance.get_runs()
        states = {state.name: state for state in instance.all_instigator_state()}
        newest = instance.get_latest_materialization_event(dg.AssetKey(["core", "sms_status"]))
    assert len(runs) >= 3
    assert {run.job_name for run in runs} == {"refresh"}
    assert newest is not None
    schedule = states["hourly_refresh"]
    assert schedule.status.value == "STOPPED"
    repository = schedule.origin.repository_origin
    location = repository.code_location_origin.location_name
    assert (location, repository.repository_name) == ("pipelines.definitions", "__repository__")
    assert location == LOCATION


def test_the_stored_instance_still_loads(old: Settings, tmp_path: Path) -> None:
    stored = (old.data / "dagster" / "dagster.yaml").read_text()
    assert "module: pipelines.defs.event_log" in stored
    place = stored.partition('base_dir: "')[2].partition('"')[0]
    (tmp_path / "dagster.yaml").write_text(stored.replace(place, str(tmp_path / "history")))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert isinstance(instance.event_log_storage, EventLog)


def test_names_that_history_is_kept_under() -> None:
    repository = defs().get_repository_def()
    graph = repository.asset_graph
    assert {name for name in repository.job_names if not name.startswith("__")} == JOBS
    assert {one.name for one in repository.schedule_defs} == SCHEDULES
    assert {one.name for one in repository.sensor_defs} == SENSORS
    assert {node.name for name in JOBS for node in repository.get_job(name).graph.nodes} == OPS
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} >= ASSETS
