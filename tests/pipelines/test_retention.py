"""Dagster's history stays small, and keeps what its users look for."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from contract.settings import Settings
from pipelines.publish.publish import Publication
from pipelines.runs.event_log import EventLog
from pipelines.runs.graph import definitions
from pipelines.runs.instance import dagster_instance
from pipelines.runs.retention import Keep, sweep_history, sweep_if_due
from tests.data_folder import settings_of
from tests.torture.history import execute, grown, sizes

STATUS = dg.AssetKey(["core", "sms_status"])
ONE = Keep(runs=1, failed=1)
POSTGRES = Path("/usr/lib/postgresql")


@pytest.fixture
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `prepare_instance` sets is taken back after the test."""
    monkeypatch.chdir(tmp_path)
    for name in ("DAGSTER_HOME", "DLR_DATA", "DAGSTER_DISABLE_TELEMETRY", "DLR_DAGSTER_STORAGE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path, clean_environment: None) -> Settings:
    return settings_of(tmp_path / "data")


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with dagster_instance(settings) as opened:
        yield opened


def checks_of(instance: dg.DagsterInstance) -> set[tuple[str, str]]:
    """Names of the checks of core.sms_status, and how they ended last."""
    graph = definitions().get_repository_def().asset_graph
    keys = [key for key in graph.asset_check_keys if key.asset_key == STATUS]
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    return {(key.name, record.status.value) for key, record in latest.items() if record}


def test_nothing_grows_once_as_many_runs_are_kept_as_shall_be(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    ids = [execute(instance, settings, number) for number in (1, 2)]
    assert sweep_if_due(instance, ONE) == 0
    ids.append(execute(instance, settings, 3))
    assert sweep_if_due(instance, ONE) == 2
    early, checks = sizes(settings), checks_of(instance)
    ids += [execute(instance, settings, number) for number in (4, 5)]
    assert sweep_if_due(instance, ONE) == 2
    assert grown(early, sizes(settings)) == []
    assert [run.run_id for run in instance.get_runs()] == ids[-1:]
    assert checks
    assert checks_of(instance) == checks
    newest = instance.get_latest_materialization_event(STATUS)
    assert newest
    assert newest.run_id == ids[-1]


def test_landing_days_stay_done_and_checks_stay_passed_when_their_runs_go(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    execute(instance, settings, 1)
    checks = checks_of(instance)
    assert sweep_history(instance, Keep(runs=0)) == 1
    assert instance.get_runs() == []
    assert instance.get_materialized_partitions(STATUS) == {"2026-03-02"}
    assert checks_of(instance) == checks
    assert {status for _, status in checks} == {"SUCCEEDED"}
    latest = instance.get_latest_materialization_event(STATUS)
    assert latest
    assert latest.asset_materialization
    assert "fingerprint" in latest.asset_materialization.metadata


def test_what_a_run_deleted_in_the_ui_left_is_removed(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    run_id = execute(instance, settings, 1)
    home = Path(instance.root_directory)
    instance.delete_run(run_id)
    left = [str(path.relative_to(home)) for path in home.rglob(f"{run_id}*.db*")]
    assert left == []
    [(rows,)] = _index(instance, "select count(*) from asset_check_executions")
    assert rows == 0
    # what an earlier version, or Dagster's own class, would have left
    orphan = home / "history" / "runs" / f"{run_id}.db"
    orphan.write_bytes(b"")
    (home / "storage" / run_id / "compute_logs").mkdir(parents=True)
    (home / "running" / "no-such-run.pid").write_text("1")
    sweep_history(instance)
    assert not orphan.exists()
    assert list((home / "storage").iterdir()) == []
    assert not (home / "running" / "no-such-run.pid").exists()


def test_failed_runs_are_kept_longer(settings: Settings, instance: dg.DagsterInstance) -> None:
    for number in range(4):
        run = dg.DagsterRun("refresh", run_id=f"run-{number}")
        instance.add_run(run)
        if number % 2:
            instance.report_run_failed(run)
        else:
            instance.run_storage.handle_run_event(
                run.run_id,
                dg.DagsterEvent("PIPELINE_SUCCESS", "refresh"),
            )
    sweep_history(instance, Keep(runs=0, failed=1))
    assert [run.run_id for run in instance.get_runs()] == ["run-3"]


def test_a_run_goes_on_from_its_failed_step(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events are stored without what they say twice; re-execution needs the rest."""

    def fail(*_: object) -> Publication:
        raise OSError("no room")

    job = definitions().resolve_job_def("refresh")
    with monkeypatch.context() as failing:
        failing.setattr("pipelines.runs.assets.publish", fail)
        with pytest.raises(OSError, match="no room"):
            execute(instance, settings, 1)
    [failed] = instance.get_runs()
    outputs = [
        entry.dagster_event.step_output_data
        for entry in instance.all_logs(failed.run_id, of_type=dg.DagsterEventType.STEP_OUTPUT)
        if entry.dagster_event
    ]
    assert outputs
    assert not any(output.metadata for output in outputs)
    options = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
    with dg.execute_job(
        dg.reconstructable(again), instance=instance, reexecution_options=options
    ) as result:
        done = {event.step_key for event in result.all_events if event.is_step_success}
    assert job.name == "refresh"
    assert (result.success, done) == (True, {"publish"})


def again() -> dg.JobDefinition:
    """The job, where another process can find it."""
    return definitions().resolve_job_def("refresh")


def _index(instance: dg.DagsterInstance, query: str) -> list[Any]:
    from sqlalchemy import text

    log = instance.event_log_storage
    with log.index_connection() as connection:  # type: ignore[attr-defined]
        return [tuple(row) for row in connection.execute(text(query))]


# PostgreSQL


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real server, which belongs to an unprivileged user."""
    pytest.importorskip("dagster_postgres", reason="the extra `postgres` is not installed")
    binaries = sorted(POSTGRES.glob("*/bin"))
    if not binaries or not shutil.which("runuser"):
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="dlr-pg-") as name:
        folder = Path(name)
        user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
            user = ["runuser", "-u", "nobody", "--"]
        secret = folder / "secret"
        secret.write_text("no-secret")
        secret.chmod(0o644)
        data, port = folder / "data", _free_port()
        words = ["-D", str(data), "-U", "dlr", "-A", "scram-sha-256", f"--pwfile={secret}", "-N"]
        subprocess.run([*user, binaries[-1] / "initdb", *words], check=True, capture_output=True)
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        control = [*user, binaries[-1] / "pg_ctl", "-D", data, "-w"]
        subprocess.run(
            [*control, "-o", options, "-l", folder / "log", "start"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield f"postgresql://dlr:no-secret@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True)


def _free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_history_in_postgresql_is_swept_alike(
    tmp_path: Path, clean_environment: None, postgres: str
) -> None:
    settings = settings_of(tmp_path / "data", dagster_storage=postgres)
    with dagster_instance(settings) as instance:
        assert not isinstance(instance.event_log_storage, EventLog)
        ids = [execute(instance, settings, number) for number in (1, 2)]
        before = _rows(instance)
        assert sweep_history(instance, ONE) == 1
        after, checks = _rows(instance), checks_of(instance)
        assert [run.run_id for run in instance.get_runs()] == ids[-1:]
        assert {status for _, status in checks} == {"SUCCEEDED"}
        assert all(after[name] < before[name] for name in after)
        execute(instance, settings, 3)
        sweep_history(instance, ONE)
        assert _rows(instance) == after
        assert instance.get_materialized_partitions(STATUS) == {"2026-03-02"}
    home = settings.data / "dagster"
    assert not list(home.rglob("*.db"))
    assert b"no-secret" not in b"".join(
        path.read_bytes() for path in home.rglob("*") if path.is_file()
    )


def _rows(instance: dg.DagsterInstance) -> dict[str, int]:
    tables = ("runs", "event_logs", "asset_check_executions", "asset_event_tags")
    return {name: _index(instance, f"select count(*) from {name}")[0][0] for name in tables}
