"""The graph, the job, its checks, the sensor and the history, on an instance as `dlr up` has it."""

import json
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import duckdb
import pytest
from dagster._core.remote_origin import (  # what a queued run must have; there is no public way
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

from contract.envelope import Envelope
from contract.settings import Settings, load_settings
from pipelines.definitions import defs
from pipelines.folder.show import analytics_path, manifest_path
from pipelines.landing import compactor
from pipelines.models import Model, load_models
from pipelines.runs import sensors
from pipelines.runs.instance import RunError, dagster_instance, refresh
from pipelines.runs.retention import Keep, sweep_history
from tests.data_folder import ask, fingerprint, form, record, run, warehouse
from tests.live import ROOT

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
LANDED = dg.AssetKey(["landing", "yunpian"])
SENDS = dg.AssetKey(["landing", "sends"])
STATUS = dg.AssetKey(["core", "sms_status"])
REPEATED = "core.repeated_reports"
EXPORTS = {dg.AssetKey(["exports", "parquet"]), dg.AssetKey(["exports", "analytics_duckdb"])}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

A = record(9527, user_receive_time="2014-03-17 22:55:21")
B = record(9528, uid="123", mobile="+93703334567", user_receive_time="2014-03-17 22:55:23")
A_FAILED = A | {"report_status": "FAIL", "error_msg": "UNDELIV", "error_detail": "失败"}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Name a data folder in the environment, as it is for Dagster's own processes."""
    monkeypatch.chdir(tmp_path)  # no .env of the developer's
    for name in ("DLR_EXPORT_MOBILE", "DLR_PROVIDER_TIMEZONE", "DLR_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DLR_DATA", str(tmp_path / "data"))
    # What prepare_instance sets, so that it is taken back after the test.
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "data" / "dagster"))
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
    return load_settings()


@pytest.fixture(scope="module")
def empty_history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the databases of an instance once, which is what takes time about a new one."""
    home = tmp_path_factory.mktemp("dagster")
    with dg.DagsterInstance.local_temp(str(home)) as made:
        assert made.get_runs() == []
        made.all_asset_keys()
    return home


@pytest.fixture
def instance(settings: Settings, empty_history: Path) -> Iterator[dg.DagsterInstance]:
    """Open the instance of the data folder, kept on disk."""
    shutil.copytree(empty_history, settings.data / "dagster")
    with dagster_instance(settings) as opened:
        yield opened


def land(settings: Settings, day: date, *records: object) -> Path:
    """Land one push of these records, as the receiver would have on that day."""
    at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    folder = settings.landing / "yunpian" / day.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    n = len(list(folder.iterdir()))
    at += timedelta(seconds=n)
    push = Envelope(
        push_id=f"{at:%Y%m%dT%H%M%S}-{n}",
        received_at=at,
        remote_addr="192.0.2.7",
        content_type="application/x-www-form-urlencoded",
        body=form(list(records)),
    )
    path = folder / f"{at:%Y%m%dT%H%M%S}.000000Z-{n}.jsonl"
    path.write_bytes(push.to_line())
    return path


def execute(
    instance: dg.DagsterInstance,
    partition_key: str | None = None,
    tags: Mapping[str, str] | None = None,
    asset_selection: Sequence[dg.AssetKey] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run the job `refresh`, or what is picked of it."""
    job = defs().resolve_job_def("refresh")
    return job.execute_in_process(
        instance=instance,
        raise_on_error=False,
        run_config=QUIET,
        partition_key=partition_key,
        tags=tags,
        asset_selection=asset_selection,
    )


def materialised(result: dg.ExecuteInProcessResult) -> set[dg.AssetKey]:
    """Assets the run has brought up to date."""
    return {key for event in result.get_asset_materialization_events() if (key := event.asset_key)}


def metadata(instance: dg.DagsterInstance, key: dg.AssetKey) -> Mapping[str, object]:
    """Return what the page of an asset shows of its latest materialisation."""
    event = instance.get_latest_materialization_event(key)
    assert event is not None, key
    assert event.asset_materialization is not None
    return {name: one.value for name, one in event.asset_materialization.metadata.items()}


def models_in(*schemas: str) -> list[Model]:
    return [one for one in load_models().values() if one.schema in schemas and not one.temporary]


def key_of(model: Model) -> dg.AssetKey:
    return dg.AssetKey(model.name.split("."))


def published(settings: Settings) -> tuple[bytes, bytes, int]:
    """Return the state readers see; equal only where nothing was replaced."""
    manifest = manifest_path(settings)
    return (
        manifest.read_bytes(),
        analytics_path(settings).read_bytes(),
        manifest.stat().st_ino,
    )


BOOKS = [one for one in models_in("ops") if one.export]
LOADED = [key_of(one) for one in (*models_in("raw", "core"), *BOOKS)]
"""What is partitioned by landing day."""


# The graph


def test_every_table_is_an_asset_with_every_column_described() -> None:
    graph = defs().resolve_asset_graph()
    tables = [*models_in("raw", "core", "marts"), *BOOKS]
    tables += [one for one in load_models().values() if one.export]
    assert {key_of(one) for one in tables} | EXPORTS | {LANDED, SENDS} == graph.get_all_asset_keys()
    for model in tables:
        schema = graph.get(key_of(model)).metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        assert [(one.name, one.type, one.description) for one in schema.columns] == [
            (name, one.type, one.comment) for name, one in model.columns.items()
        ]
        assert all(one.description for one in schema.columns)
        assert model.grain in str(graph.get(key_of(model)).description)


def tables_in(sql: str) -> set[str]:
    """Tables that a query reads, by DuckDB's own parser; CTEs are none."""
    with duckdb.connect() as con:
        [(text,)] = con.execute("select json_serialize_sql(?)", [sql]).fetchall()
    tree = json.loads(text)
    assert not tree["error"], tree
    tables: set[str] = set()
    ctes: set[str] = set()
    branches = [tree]
    while branches:
        branch = branches.pop()
        if isinstance(branch, dict):
            if branch.get("type") == "BASE_TABLE":
                tables.add(".".join(filter(None, (branch["schema_name"], branch["table_name"]))))
            ctes.update(one["key"] for one in branch.get("cte_map", {}).get("map", []))
        if isinstance(branch, dict | list):
            branches += branch.values() if isinstance(branch, dict) else branch
    return tables - ctes


def test_an_asset_follows_what_its_sql_reads() -> None:
    """DuckDB's own parser says what each file reads; steps of a slice are looked through.

    What such a step sees of the time before the slice is nothing an asset follows.
    """
    by_relation = {one.name: one for one in load_models().values()}

    @cache
    def read_by(relation: str) -> frozenset[str]:
        model = by_relation[relation]
        direct = {name for name in tables_in(model.sql) if name in by_relation}
        steps = {name for name in direct if by_relation[name].temporary}
        if model.reads == "previous":
            direct = steps
        return frozenset(direct - steps).union(*map(read_by, steps))

    graph = defs().resolve_asset_graph()
    computed = [one for one in models_in("core", "marts") if one.materialized != "python"]
    assert {one.name for one in computed} >= {"core.sms_status", "marts.delivery_daily"}
    for model in computed:
        expected = {dg.AssetKey(name.split(".")) for name in read_by(model.name)}
        assert graph.get(key_of(model)).parent_keys == expected, model.name
    for model in models_in("raw"):
        source = SENDS if "sends" in model.name else LANDED
        assert graph.get(key_of(model)).parent_keys == {source}
    readers = graph.get(dg.AssetKey(["exports", "parquet"])).parent_keys
    assert readers == {key_of(one) for one in load_models().values() if one.export}


def test_every_check_of_a_table_is_one_of_its_asset_and_blocks_unless_it_warns() -> None:
    graph = defs().resolve_asset_graph()
    blocking = {key: graph.get(key).blocking for key in graph.asset_check_keys}
    for model in models_in("raw", "core", "marts"):
        assert blocking[dg.AssetCheckKey(key_of(model), "contract_columns")]
    for model in load_models().values():
        for check in model.checks:
            fails = check.severity == "fail"
            assert blocking[dg.AssetCheckKey(key_of(model), check.name)] is fails
    for table, name in (("core.sms_status", "sid_is_unique"), ("ops.ledger", "conservation_law")):
        assert blocking[dg.AssetCheckKey(dg.AssetKey(table.split(".")), name)]


# The job


def test_a_run_materialises_everything_and_says_what_it_did(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    land(settings, MONDAY, A, B)
    land(settings, TUESDAY, A, A_FAILED, {"sid": "1.5"})
    result = execute(instance)
    assert result.success
    assert materialised(result) == defs().resolve_asset_graph().get_all_asset_keys() - {
        LANDED,
        SENDS,
    }
    assert ask(settings, "select sid, delivered from core.sms_status order by sid") == [
        (9527, True),
        (9528, True),
    ]

    for model in models_in("raw", "core", "marts"):
        [(rows,)] = warehouse(settings, f"select count(*) from {model.name}")
        assert metadata(instance, key_of(model))["dagster/row_count"] == rows, model.name
    shown = metadata(instance, STATUS)
    assert shown["dagster/row_count"] == 2
    assert {name: shown[f"run_{name}"] for name in ("files", "pushes", "records", "messages")} == {
        "files": 2,
        "pushes": 2,
        "records": 5,
        "messages": 2,
    }
    assert [shown[f"run_{name}"] for name in ("duplicates", "conflicts", "rejected")] == [1, 1, 1]
    assert shown["balanced"] is True
    assert str(shown["law"]).startswith("5 records received, against 2 messages + 1 duplicates")
    manifest = json.loads(manifest_path(settings).read_bytes())
    exported = metadata(instance, dg.AssetKey(["exports", "parquet"]))
    assert (
        shown["fingerprint"]
        == exported["fingerprint"]
        == manifest["fingerprint"]
        == fingerprint(settings)
    )
    assert exported["files_written"] == len(manifest["files"])

    for model in models_in("raw", "core"):
        days = instance.get_materialized_partitions(key_of(model))
        assert days == {MONDAY.isoformat(), TUESDAY.isoformat()}
    checks = result.get_asset_check_evaluations()
    assert {check.asset_check_key for check in checks} == set(
        defs().resolve_asset_graph().asset_check_keys
    )
    assert all(check.passed for check in checks)


def test_a_run_with_nothing_pending_materialises_nothing_and_checks_all_the_same(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It compacts hours that are over, like any other run."""
    monkeypatch.setattr(compactor, "FEW_FILES", 1)
    file = land(settings, MONDAY, A, B)
    run(settings)
    before = published(settings)
    result = execute(instance)
    assert result.success
    assert published(settings) == before
    assert not materialised(result)
    checked = {check.asset_key.path[0] for check in result.get_asset_check_evaluations()}
    assert {"raw", "core", "ops"} <= checked
    assert [path.suffix for path in file.parent.iterdir()] == [".gz"]


def test_with_nothing_pending_what_readers_miss_is_made_again(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    land(settings, MONDAY, A, B)
    run(settings)
    for missing in ("analytics.duckdb", "exports/manifest.json", "exports/dictionary.html"):
        (settings.data / missing).unlink()
        assert execute(instance).success
        assert (settings.data / missing).exists()


@pytest.mark.parametrize(
    ("how", "days"),
    [
        pytest.param(
            {"partition_key": "2026-03-02", "asset_selection": LOADED},
            {"2026-03-02"},
            id="the tables of one day",
        ),
        pytest.param(
            {
                "tags": {
                    "dagster/asset_partition_range_start": "2026-03-01",
                    "dagster/asset_partition_range_end": "2026-03-03",
                }
            },
            {"2026-03-01", "2026-03-02", "2026-03-03"},
            id="everything for a range, in one run",
        ),
    ],
)
def test_landing_days_asked_for_again_heal_what_was_tampered_with(
    how: dict[str, Any], days: set[str], settings: Settings, instance: dg.DagsterInstance
) -> None:
    land(settings, MONDAY, A, B, {"sid": "1.5"})
    land(settings, TUESDAY, A_FAILED, record(9529))
    run(settings)
    tables = {
        name: f"from {name} order by all"
        for name in (
            "raw.pushes",
            "raw.rejected_records",
            "core.sms_status",
            "core.repeated_reports",
        )
    }
    before = {name: warehouse(settings, query) for name, query in tables.items()}
    right = fingerprint(settings)

    monday = "select push_id from raw.pushes where file like '%/2026-03-02/%'"
    warehouse(settings, f"delete from core.sms_status where sid = 9528 and push_id in ({monday})")
    warehouse(settings, f"update {REPEATED} set uid = 'x' where push_id in ({monday})")
    warehouse(settings, "delete from raw.rejected_records")
    assert warehouse(settings, tables[REPEATED]) != before[REPEATED]

    result = execute(instance, **how)
    assert result.success
    assert {name: warehouse(settings, query) for name, query in tables.items()} == before
    assert fingerprint(settings) == right
    assert metadata(instance, STATUS)["fingerprint"] == right
    assert instance.get_materialized_partitions(STATUS) == days
    assert len(instance.get_runs()) == 1


def test_one_mart_alone_is_computed_anew_as_a_whole(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    land(settings, MONDAY, A, B, record(9529))
    run(settings)
    hourly, daily = (f"from marts.delivery_{grain} order by all" for grain in ("hourly", "daily"))
    before = warehouse(settings, hourly)
    assert len(before) > 1
    warehouse(settings, "delete from marts.delivery_hourly where country_code = 'AF'")
    warehouse(settings, "update marts.delivery_hourly set reports = reports + 1")
    warehouse(settings, "delete from marts.delivery_daily")

    mart = dg.AssetKey(["marts", "delivery_hourly"])
    result = execute(instance, asset_selection=[mart])
    assert result.success
    assert materialised(result) == {mart}
    assert warehouse(settings, hourly) == before
    assert warehouse(settings, daily) == []
    assert {check.asset_key for check in result.get_asset_check_evaluations()} == {mart}


def test_a_run_that_breaks_the_law_publishes_nothing_and_says_so(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    land(settings, MONDAY, A, B)
    run(settings)
    before = published(settings)
    warehouse(settings, "delete from core.sms_status where sid = 9527")
    land(settings, TUESDAY, record(9529))

    result = execute(instance)
    assert not result.success
    failed = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert [(check.asset_key, check.check_name, check.blocking) for check in failed] == [
        (dg.AssetKey(["ops", "ledger"]), "conservation_law", True)
    ]
    assert "law" in str(failed[0].description)
    assert not {key for key in materialised(result) if key.path[0] in ("marts", "exports")}
    assert published(settings) == before

    # It stays so: with nothing new, readers are still kept from it.
    with pytest.raises(RunError) as caught:
        refresh(settings)
    sentence = str(caught.value)
    assert sentence.startswith("Nothing was published because a check failed: conservation law.")
    assert "total_records = 3, total_messages = 2" in sentence
    assert "\n" not in sentence
    assert published(settings) == before
    assert [one.status for one in instance.get_runs()] == [dg.DagsterRunStatus.FAILURE] * 2


# The sensor


class Tick(NamedTuple):
    """What one look of the sensor came to."""

    requests: list[dg.RunRequest]
    skipped: str | None


def tick(instance: dg.DagsterInstance) -> Tick:
    """Evaluate the sensor as the daemon does."""
    context = dg.build_sensor_context(instance=instance, definitions=defs())
    outcome = sensors.landed_files_sensor.evaluate_tick(context)
    return Tick(list(outcome.run_requests or ()), outcome.skip_message)


def test_the_sensor_asks_for_one_run_if_anything_is_pending(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    land(settings, MONDAY, A)
    first = tick(instance)
    assert [request.tags["dlr/reason"] for request in first.requests] == ["1 landed files"]
    # A request with a key would never be made again for a run that failed.
    assert first.requests[0].run_key is None
    run(settings)
    nothing = tick(instance)
    assert (nothing.requests, nothing.skipped) == (
        [],
        "Nothing to do: every landed file is processed and published.",
    )
    land(settings, MONDAY, B)
    land(settings, TUESDAY, B)
    again = tick(instance)
    assert [request.tags["dlr/reason"] for request in again.requests] == ["2 landed files"]


def started(instance: dg.DagsterInstance, ago: timedelta = timedelta(0)) -> str:
    """Enter a run as its process does when it starts; nothing more is heard of it."""
    run_id = str(uuid.uuid4())
    instance.add_run(dg.DagsterRun("refresh", run_id=run_id))
    instance.handle_new_event(
        dg.EventLogEntry(
            error_info=None,
            level=10,
            user_message="",
            run_id=run_id,
            timestamp=(datetime.now(UTC) - ago).timestamp(),
            job_name="refresh",
            dagster_event=dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "refresh"),
        )
    )
    assert status_of(instance, run_id) is dg.DagsterRunStatus.STARTED
    return run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


@pytest.mark.parametrize(
    "status",
    [
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
    ],
    ids=lambda status: str(status.value),
)
def test_the_sensor_waits_for_a_refresh_that_is_under_way(
    status: dg.DagsterRunStatus, settings: Settings, instance: dg.DagsterInstance
) -> None:
    land(settings, MONDAY, A)
    if status is dg.DagsterRunStatus.STARTED:
        run_id = started(instance)
    else:
        run_id = str(uuid.uuid4())
        origin = RemoteJobOrigin(
            RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("pipelines.definitions"), "any"),
            job_name="refresh",
        )
        instance.add_run(
            dg.DagsterRun("refresh", run_id=run_id, status=status, remote_job_origin=origin)
        )
    waits = tick(instance)
    assert (waits.requests, waits.skipped) == ([], "A refresh is already queued or running.")
    instance.delete_run(run_id)
    assert len(tick(instance).requests) == 1


@contextmanager
def somebody_working(settings: Settings) -> Iterator[None]:
    """Another process that holds the data folder."""
    code = (
        "import sys\n"
        "from contract.settings import load_settings\n"
        "from pipelines.folder.lock import pipeline_lock\n"
        "with pipeline_lock(load_settings()):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={"DLR_DATA": str(settings.data), "PYTHONPATH": str(ROOT)},
        cwd=settings.data.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        yield
        assert other.poll() is None


def test_the_sensor_skips_while_somebody_works_on_the_warehouse(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    land(settings, MONDAY, A)
    run(settings)
    land(settings, TUESDAY, B)
    with somebody_working(settings):
        skips = tick(instance)
    assert (skips.requests, skips.skipped) == (
        [],
        "Warehouse is locked by another process.",
    )
    assert len(tick(instance).requests) == 1


def test_a_run_that_died_holds_up_nothing(settings: Settings, instance: dg.DagsterInstance) -> None:
    """Not the sensor, and not Dagster's queue, which lets one run at a time start."""
    land(settings, MONDAY, A)
    run_id = started(instance, ago=timedelta(minutes=10))
    assert len(tick(instance).requests) == 1
    assert status_of(instance, run_id) is dg.DagsterRunStatus.FAILURE


def test_a_long_run_is_not_taken_for_dead_while_it_works(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    land(settings, MONDAY, A)
    run_id = started(instance, ago=timedelta(minutes=10))
    with somebody_working(settings):
        assert tick(instance).requests == []
    assert status_of(instance, run_id) is dg.DagsterRunStatus.STARTED


def test_sensor_and_schedules_are_on_and_start_known_jobs() -> None:
    repository = defs().get_repository_def()
    sensor = repository.get_sensor_def("landed_files_sensor")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == 45
    assert sensor.job_name == "refresh"
    schedules = {one.name: one for one in repository.schedule_defs}
    assert {one.job_name for one in schedules.values()} == {"refresh", "housekeeping"}
    for schedule in schedules.values():
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
        assert schedule.execution_timezone == "UTC"


# The history


def files_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Return what Dagster keeps of a run on disk."""
    home = Path(instance.root_directory)
    return [str(path.relative_to(home)) for path in home.rglob(f"{run_id}*")]


def test_old_runs_are_forgotten_with_their_files(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    housekeeping = defs().resolve_job_def("housekeeping")
    old = housekeeping.execute_in_process(instance=instance, run_config=QUIET).run_id
    under_way = started(instance)
    assert f"history/runs/{old}.db" in files_of(instance, old)

    # The job itself leaves young runs alone.
    young = housekeeping.execute_in_process(instance=instance, run_config=QUIET).run_id
    assert instance.has_run(old)

    assert sweep_history(instance, Keep(runs=0)) == 2
    assert [one.run_id for one in instance.get_runs()] == [under_way]
    assert files_of(instance, old) == files_of(instance, young) == []


def test_housekeeping_compacts_finished_days_unless_told_not_to(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    housekeeping = defs().resolve_job_def("housekeeping")
    assert housekeeping.execute_in_process(instance=instance, run_config=QUIET).success
    for records in (A, B):
        land(settings, MONDAY, records)
    today = datetime.now(UTC).date()
    young = land(settings, today, A)
    run(settings)
    before = fingerprint(settings)
    with monkeypatch.context() as off:
        off.setenv("DLR_COMPACT_AFTER_DAYS", "0")
        assert housekeeping.execute_in_process(instance=instance, run_config=QUIET).success
    folder = settings.landing / "yunpian" / MONDAY.isoformat()
    assert len(list(folder.glob("*.jsonl"))) == 2
    assert housekeeping.execute_in_process(instance=instance, run_config=QUIET).success
    [container] = folder.iterdir()
    assert re.fullmatch(r"\d{8}T\d{6}\.\d{6}Z-compacted-[0-9a-f]{8}\.jsonl\.gz", container.name)
    assert young.exists()
    with somebody_working(settings):
        assert housekeeping.execute_in_process(instance=instance, run_config=QUIET).success
    assert execute(instance).success
    assert fingerprint(settings) == before


def test_a_day_asked_for_again_says_what_moved(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(settings, MONDAY, record(9527, user_receive_time="2026-03-02 15:00:00"))
    run(settings)
    monkeypatch.setenv("DLR_PROVIDER_TIMEZONE", "UTC")
    assert execute(instance, partition_key=MONDAY.isoformat(), asset_selection=LOADED).success
    shown = metadata(instance, STATUS)["changes"]
    assert (
        shown == "| what | before | after | rows |\n|---|---|---|---:|\n| event_time | – | – | 1 |"
    )


def test_forgetting_runs_does_not_forget_which_landing_days_are_done(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    land(settings, MONDAY, A)
    assert execute(instance, asset_selection=LOADED).success
    land(settings, MONDAY, B)
    assert execute(instance, asset_selection=LOADED).success
    assert sweep_history(instance, Keep(runs=0)) == 2
    assert instance.get_runs() == []
    assert instance.get_materialized_partitions(STATUS) == {MONDAY.isoformat()}


def test_a_day_asked_for_again_heals_what_was_changed_in_core(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    land(settings, MONDAY, A, B)
    run(settings)
    query = "select fingerprint, balanced from ops.ledger order by sequence desc limit 1"
    before = warehouse(settings, query)
    warehouse(settings, "update core.sms_status set uid = 'forged' where sid = 9527")
    range_tags = {
        "dagster/asset_partition_range_start": MONDAY.isoformat(),
        "dagster/asset_partition_range_end": MONDAY.isoformat(),
    }
    assert execute(instance, tags=range_tags).success
    assert warehouse(settings, query) == before


def test_the_sensor_asks_for_what_is_loaded_but_not_published(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    land(settings, MONDAY, A)
    assert execute(instance, asset_selection=LOADED).success
    [request] = tick(instance).requests
    assert request.tags["dlr/reason"] == "unpublished changes"
    assert execute(instance).success
    assert tick(instance).requests == []
