"""Kill a run anywhere: readers have the old state or the new one, and the next run completes it."""

import hashlib
import importlib
import json
import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from contract.settings import Settings
from pipelines.folder.show import analytics_path, manifest_path
from pipelines.verify import verify
from tests.agreement import everywhere, figures_of
from tests.command import dlr
from tests.data_folder import (
    Kept,
    ask,
    fingerprint,
    form,
    land,
    push,
    record,
    run,
    settings_of,
    warehouse,
)

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.data_folder"])

POINTS = [
    # where in a run, and at which call, the process is killed
    ("pipelines.load.apply.read_lines", 1),
    ("pipelines.load.apply.read_lines", 2),  # between two chunks of a file
    ("pipelines.load.apply.read_lines", 3),  # between two files
    ("pipelines.load.apply.store_raw", 2),
    ("pipelines.load.batch.read_sends", 1),
    ("pipelines.load.apply.store_sends", 1),
    ("pipelines.load.ledger.record_sends", 1),
    ("pipelines.load.settle._attribute_repetitions", 1),
    ("pipelines.load.ledger.record", 1),
    ("pipelines.load.marts.is_stale", 1),
    ("pipelines.models.refresh", 9),  # amid the marts
    ("pipelines.publish.preparation.write_files", 1),
    ("pipelines.publish.parquet._bring_to_disk", 3),
    ("pipelines.publish.preparation.prepare_database", 1),
    ("pipelines.publish.preparation.make_tree", 1),
    ("pipelines.publish.preparation.retire", 1),
    ("pipelines.publish.publish._record", 1),
    ("pipelines.publish.publish.sweep_trees", 1),
]
SHOWING = [
    # where in showing, and the command that completes it
    (("pipelines.publish.publish.show", 1), ("sql", "select 1")),
    (("pipelines.folder.show._replace", 1), ("status",)),
    (("pipelines.folder.show._replace", 2), ("report", "--output", "other.html")),
    (("pipelines.folder.show._replace", 3), ("verify",)),
    (("pipelines.folder.show._replace", 4), ("sql", "select 1")),
    (("pipelines.folder.show._replace", 5), ("run",)),
    (("pipelines.folder.show._replace", 6), ("status",)),
    (("pipelines.publish.publish.describe_damage", 1), ("run",)),
]
BATCHES = 4


def land_batch(settings: Settings, batch: int) -> None:
    """Forty reports, fifty sends; each batch repeats some of the one before, and contradicts."""
    first = batch * 30
    reports = [
        record(sid, report_status="FAIL" if sid % 7 == batch else "SUCCESS", error_detail=None)
        for sid in range(first, first + 40)
    ]
    pushes = [push(form(reports[n::4]), 10 * batch + n) for n in range(4)]
    land(settings, pushes[:2], f"{batch}-a")
    land(settings, pushes[2:], f"{batch}-b")
    settings.sends.mkdir(exist_ok=True)
    lines = [f"{sid},,2026-03-02 07:5{sid % 9}:00,{batch}\n" for sid in range(first, first + 50)]
    (settings.sends / f"{batch}.csv").write_text("sid,uid,sent_at,tag\n" + "".join(lines))


def run_and_die(data: Path, target: str, calls: int) -> None:
    """In a process of its own: a run whose ``calls``-th call of ``target`` is its last."""
    module_name, _, name = target.rpartition(".")
    module = importlib.import_module(module_name)
    real = getattr(module, name)
    left = [calls]

    def die(*args: object, **kwargs: object) -> object:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    setattr(module, name, die)
    if module_name.startswith("pipelines.load."):
        importlib.import_module("pipelines.load.batch")._MOST_BYTES = 1  # every line a batch
    run(settings_of(data))


def die_at(settings: Settings, target: str, calls: int) -> None:
    """Have a process run until there, and none be left that works on the folder."""
    child = PROCESSES.Process(target=run_and_die, args=(settings.data, target, calls))
    child.start()
    child.join(120)
    code = child.exitcode
    child.kill()
    child.join()
    assert code == -signal.SIGKILL, "the step was never reached"


def run_whole(data: Path) -> None:
    run(settings_of(data))


def check_readers(settings: Settings) -> int:
    """What readers see is one state: tables, marts, ledger, manifest; returns its messages."""
    with duckdb.connect(analytics_path(settings), read_only=True) as con:
        [state] = con.execute(
            """
            select
                (select count(*) from core.sms_status),
                (select sum(reports)::bigint from marts.delivery_hourly),
                (select sum(reports)::bigint from marts.delivery_daily),
                (select sum(accepted)::bigint from raw.pushes),
                (select total_messages from ops.ledger order by sequence desc limit 1)
            """
        ).fetchall()
    assert len(set(state)) == 1, state
    manifest = json.loads(manifest_path(settings).read_text())
    for file in manifest["files"]:
        data = (manifest_path(settings).parent / file["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
    return int(state[0])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A folder after the first batch."""
    settings = settings_of(tmp_path_factory.mktemp("crash") / "data")
    land_batch(settings, 0)
    run(settings)
    return Kept(settings)


@pytest.fixture
def settings(kept: Kept) -> Settings:
    """The first batch is published."""
    return kept.put_back()


@pytest.fixture(scope="module")
def expected(kept: Kept) -> list[tuple[int, str]]:
    """Messages and fingerprint after each batch, without any accident."""
    settings = kept.put_back()
    states = [(check_readers(settings), fingerprint(settings))]
    for batch in range(1, BATCHES):
        land_batch(settings, batch)
        run(settings)
        states.append((check_readers(settings), fingerprint(settings)))
    return states


@pytest.mark.parametrize(("target", "calls"), POINTS)
def test_a_run_killed_at_a_named_step(
    settings: Settings, expected: list[tuple[int, str]], target: str, calls: int
) -> None:
    land_batch(settings, 1)
    die_at(settings, target, calls)
    old, new = expected[0], expected[1]
    seen = check_readers(settings)
    assert seen in (old[0], new[0])
    assert manifest_rows(settings) in (old[0], seen), "the manifest is replaced last"
    run(settings)
    assert (check_readers(settings), fingerprint(settings)) == new
    assert manifest_rows(settings) == new[0]
    for ledger in ("ops.ledger", "ops.sends_ledger"):
        assert warehouse(settings, f"select bool_and(balanced) from {ledger}") == [(True,)]
    assert verify(settings).findings == []


@pytest.mark.parametrize(("point", "command"), SHOWING)
def test_who_is_killed_between_two_renames_is_completed_by_the_next_command(
    settings: Settings,
    expected: list[tuple[int, str]],
    point: tuple[str, int],
    command: tuple[str, ...],
) -> None:
    land_batch(settings, 1)
    die_at(settings, *point)
    old, new = expected[0], expected[1]
    assert {check_readers(settings), manifest_rows(settings)} <= {old[0], new[0]}
    done = dlr(settings.data, *command)
    assert "Traceback" not in done.stderr
    assert {check_readers(settings), manifest_rows(settings)} == everywhere(settings) == {new[0]}
    assert figures_of(settings)["state"]["messages"] == new[0]
    again = run(settings)
    assert (check_readers(settings), fingerprint(settings)) == new
    assert again.published == (command != ("run",))
    assert not run(settings).published
    assert verify(settings).findings == []


def test_runs_killed_at_random_moments(settings: Settings, expected: list[tuple[int, str]]) -> None:
    draw = random.Random(7)
    allowed = {messages for messages, _ in expected}
    killed = 0
    for batch in range(1, BATCHES):
        land_batch(settings, batch)
        for _ in range(3):
            child = PROCESSES.Process(target=run_whole, args=(settings.data,))
            child.start()
            child.join(draw.uniform(0.05, 0.9))
            killed += child.is_alive()
            child.kill()
            child.join()
            assert check_readers(settings) in allowed
        run(settings)
        assert (check_readers(settings), fingerprint(settings)) == expected[batch]
    assert killed


def reading(settings: Settings, stop: threading.Event, seen: list[int], errors: list[str]) -> None:
    while not stop.wait(0.02):
        try:
            seen.append(check_readers(settings))
        except (AssertionError, duckdb.Error, OSError) as error:
            errors.append(repr(error))


def read_in_a_loop(data: Path, stop: "multiprocessing.synchronize.Event", answers: object) -> None:
    """In a process of its own: open, ask, close, and one connection that is never closed."""
    settings = settings_of(data)
    seen: list[int] = []
    errors: list[str] = []
    kept = duckdb.connect(analytics_path(settings), read_only=True)
    first = kept.execute("select count(*) from core.sms_status").fetchall()
    stopping = threading.Event()
    thread = threading.Thread(target=lambda: (stop.wait(), stopping.set()))
    thread.start()
    while not stopping.wait(0.02):
        if kept.execute("select count(*) from core.sms_status").fetchall() != first:
            errors.append("the open connection saw another state")
        try:
            seen.append(manifest_rows(settings))
        except (AssertionError, OSError) as error:
            errors.append(repr(error))
    kept.close()
    answers.put((seen, errors))  # type: ignore[attr-defined]


def manifest_rows(settings: Settings) -> int:
    """Follow the manifest: all files are there, and agree."""
    files = json.loads(manifest_path(settings).read_text())["files"]
    folder = manifest_path(settings).parent

    def rows(table: str, what: str) -> int:
        paths = [str(folder / file["path"]) for file in files if file["table"] == table]
        [(found,)] = duckdb.execute(f"select {what} from read_parquet({paths})").fetchall()
        return int(found)

    messages = rows("core.sms_status", "count(*)")
    assert messages == rows("marts.delivery_daily", "sum(reports)")
    return messages


@pytest.fixture
def reader(settings: Settings) -> Iterator[tuple[list[int], list[str]]]:
    """A thread that opens, asks and closes for as long as the test runs."""
    stop = threading.Event()
    seen: list[int] = []
    errors: list[str] = []
    thread = threading.Thread(target=reading, args=(settings, stop, seen, errors))
    thread.start()
    yield seen, errors
    stop.set()
    thread.join()


def test_readers_of_the_database_see_one_state_while_runs_go_on(
    settings: Settings, reader: tuple[list[int], list[str]], expected: list[tuple[int, str]]
) -> None:
    seen, errors = reader
    for batch in range(1, BATCHES):
        land_batch(settings, batch)
        run(settings)
        until = len(seen) + 2
        deadline = time.monotonic() + 20
        while len(seen) < until and not errors and time.monotonic() < deadline:
            time.sleep(0.01)
    assert not errors
    assert seen == sorted(seen)
    assert {messages for messages, _ in expected} == set(seen)


def test_readers_of_the_manifest_and_open_connections_keep_their_state(
    settings: Settings, expected: list[tuple[int, str]]
) -> None:
    stop, answers = PROCESSES.Event(), PROCESSES.Queue()
    child = PROCESSES.Process(target=read_in_a_loop, args=(settings.data, stop, answers))
    child.start()
    for batch in range(1, BATCHES):
        land_batch(settings, batch)
        run(settings)
    time.sleep(0.2)  # lets the reader look once more; nothing depends on it
    stop.set()
    seen, errors = answers.get(timeout=30)
    child.join()
    assert not errors
    assert seen
    assert set(seen) <= {messages for messages, _ in expected}
    assert ask(settings, "select count(*) from core.sms_status") == [(expected[-1][0],)]
