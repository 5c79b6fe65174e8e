"""The process: starting, stopping, being killed, and a disk that fails under it."""

import contextlib
import http.client
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live import (
    ROOT,
    TOKEN,
    Answer,
    Live,
    answer_on,
    ask,
    connect,
    free_port,
    landed,
    landed_files,
    log_of,
    push,
    running_receiver,
)

FULL_DISK = """
import os, pathlib
import ingest.durable as durable
durable.free_bytes = lambda folder: 2**40 if pathlib.Path(os.environ["DISK"]).exists() else 0
"""


def start(tmp_path: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run a receiver that is expected not to start."""
    return subprocess.run(
        [sys.executable, "-m", "ingest.server"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "DLR_PUSH_TOKENS": TOKEN, "DLR_BIND": "127.0.0.1:0", **env},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"DLR_PUSH_TOKENS": ""}, "DLR_PUSH_TOKENS is empty"),
        ({"DLR_DATA": "a-file/data"}, "Cannot write to "),
        ({"DLR_BIND": "192.0.2.1:80"}, "Cannot listen on 192.0.2.1:80: "),
        ({"DLR_BIND": "nowhere.invalid:80"}, "Cannot listen on nowhere.invalid:80: "),
        ({"DLR_MAX_BODY_BYTES": "much"}, "Wrong settings:\n  DLR_MAX_BODY_BYTES "),
    ],
)
def test_what_keeps_it_from_starting_is_one_sentence(
    env: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "a-file").touch()
    failed = start(tmp_path, **env)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith(sentence)
    assert "Traceback" not in failed.stderr


def test_an_occupied_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        failed = start(tmp_path, DLR_BIND=f"127.0.0.1:{occupied.getsockname()[1]}")
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert "Address already in use" in failed.stderr
    assert not (tmp_path / "data").exists()


def test_it_starts_quickly_stays_small_and_loads_no_pipeline(tmp_path: Path) -> None:
    prelude = (
        "import atexit, sys, pathlib\n"
        "atexit.register(lambda: pathlib.Path('modules').write_text(' '.join(sys.modules)))"
    )
    port = free_port()
    with running_receiver(tmp_path / "data", prelude=prelude, DLR_BIND=f"127.0.0.1:{port}") as live:
        assert live.base_url == f"http://127.0.0.1:{port}"
        status = Path(f"/proc/{live.process.pid}/status").read_text()
        resident_kb = next(int(x.split()[1]) for x in status.splitlines() if x[:6] == "VmRSS:")
        cpu_s = sum(map(int, Path(f"/proc/{live.process.pid}/stat").read_text().split()[13:15]))
    assert resident_kb < 60_000
    # Of processor time, so that a busy machine does not fail it.
    assert cpu_s / os.sysconf("SC_CLK_TCK") < 1
    modules = set((tmp_path / "modules").read_text().split())
    assert not modules & {"dagster", "duckdb", "pandas", "pyarrow", "pipelines"}


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_stopping_in_good_order(stop: signal.Signals, tmp_path: Path) -> None:
    """Readiness first, new pushes refused, what is under way answered, exit code 0."""
    data = tmp_path / "data"
    with running_receiver(data, quick_stop=False) as live, connect(live) as slow:
        head = f"POST {live.push_path} HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n"
        slow.sendall(head.encode() + b"sms_status=")
        assert ask(live.base_url, "GET", "/readyz").status == 200
        live.process.send_signal(stop)
        until(lambda: ask(live.base_url, "GET", "/readyz").status == 503)
        late = push(live, b"sms_status=late")
        assert (late.status, late.headers["retry-after"]) == (503, "10")
        assert late.headers["x-reject-reason"] == "shutting_down"
        time.sleep(0.7)  # past the moment when connections are refused
        slow.sendall(b"slow")
        assert answer_on(slow).body == b"SUCCESS"
        assert live.process.wait(10) == 0
    assert [envelope.body for envelope in landed(data)] == [b"sms_status=slow"]
    assert '"everything_written": true' in log_of(data).read_text()


def test_who_never_finishes_is_told_when_the_grace_is_over(tmp_path: Path) -> None:
    prelude = "import ingest.server as server\nserver.GRACE_S = 1"
    with running_receiver(tmp_path / "data", prelude=prelude) as live, connect(live) as stuck:
        head = f"POST {live.push_path} HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n"
        stuck.sendall(head.encode() + b"sms_status=")
        until(lambda: in_flight(live) == 11)
        live.process.terminate()
        assert refused(answer_on(stuck), "shutting_down")
        assert live.process.wait(10) == 0


def in_flight(live: Live) -> float:
    return metric(live, "dlr_landing_bytes_in_flight")


def metric(live: Live, name: str) -> float:
    page = ask(live.base_url, "GET", "/metrics").body.decode()
    (line,) = [line for line in page.splitlines() if line.startswith(name + " ")]
    return float(line.split()[-1])


def until(condition: Callable[[], bool], timeout_s: float = 10) -> None:
    """Wait for a condition; fails after ``timeout_s``."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_health_and_metrics(live: Live) -> None:
    assert ask(live.base_url, "GET", "/healthz").status == 200
    assert ask(live.base_url, "HEAD", "/readyz").status == 200
    landed_before = metric(live, 'dlr_receiver_requests_total{outcome="landed"}')
    refused_before = metric(live, 'dlr_receiver_requests_total{outcome="body_empty"}')
    assert push(live, b"sms_status=1").status == 200
    assert push(live, b"").status == 400
    assert metric(live, 'dlr_receiver_requests_total{outcome="landed"}') == landed_before + 1
    assert metric(live, 'dlr_receiver_requests_total{outcome="body_empty"}') == refused_before + 1
    assert metric(live, "dlr_landing_free_bytes") > 0
    assert metric(live, "dlr_landing_bytes_in_flight") == 0
    assert metric(live, "dlr_landing_data_loss_horizon_seconds") == 600
    assert metric(live, "dlr_receiver_last_success_timestamp_seconds") > 1.7e9
    assert metric(live, "dlr_landing_group_pushes_count") > 0


def refused(answer: Answer, reason: str) -> bool:
    return (
        answer.status == 503
        and answer.headers["x-reject-reason"] == reason
        and "retry-after" in answer.headers
        and answer.body != b"SUCCESS"
    )


@contextlib.contextmanager
def folder_removed(live: Live, data: Path) -> Iterator[str]:
    away = (data / "landing").rename(data / "away")
    yield "write_failed"
    away.rename(data / "landing")


@contextlib.contextmanager
def folder_replaced_by_a_file(live: Live, data: Path) -> Iterator[str]:
    landing = data / "landing"
    away = landing.rename(data / "away")
    landing.touch()
    yield "write_failed"
    landing.unlink()
    away.rename(landing)


@contextlib.contextmanager
def files_too_large(live: Live, data: Path) -> Iterator[str]:
    soft, hard = resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, (2000, hard))
    yield "write_failed"
    resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def disk_below_the_floor(live: Live, data: Path) -> Iterator[str]:
    disk = data.with_name("disk")
    disk.unlink()
    yield "disk_full"
    disk.touch()


@pytest.mark.parametrize(
    "trouble", [folder_removed, folder_replaced_by_a_file, files_too_large, disk_below_the_floor]
)
def test_a_disk_that_fails_and_recovers(
    trouble: Callable[[Live, Path], "contextlib.AbstractContextManager[str]"], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    disk = tmp_path / "disk"
    disk.touch()
    with running_receiver(data, prelude=FULL_DISK, DISK=str(disk)) as live:
        body = b"sms_status=" + b"1" * 4000
        assert push(live, body).body == b"SUCCESS"
        with trouble(live, data) as reason:
            for _ in range(2):
                assert refused(push(live, body), reason)
            assert ask(live.base_url, "GET", "/healthz").status == 200
            assert ask(live.base_url, "GET", "/readyz").status == 503
            assert metric(live, "dlr_landing_data_loss_horizon_seconds") < 600
        assert push(live, body).body == b"SUCCESS"
        assert ask(live.base_url, "GET", "/readyz").status == 200
        assert metric(live, "dlr_landing_data_loss_horizon_seconds") == 600
    assert [envelope.body for envelope in landed(data)] == [body, body]
    assert "landing_recovered" in log_of(data).read_text()


def test_a_disk_that_hangs_and_too_much_in_flight(tmp_path: Path) -> None:
    """Who waits too long is answered; what is queued stays bounded; all of it still lands."""
    data, hang = tmp_path / "data", tmp_path / "hang"
    prelude = f"""
import os, pathlib, time
import ingest.landing as landing, ingest.receiver as receiver, ingest.health as health
landing.IN_FLIGHT_LIMIT_BYTES = 1000
receiver.LAND_TIMEOUT_S = health.PROBE_TIMEOUT_S = 0.3
import ingest.server as server
server.IN_FLIGHT_LIMIT_BYTES = 1000
fsync = os.fsync
def slow_fsync(descriptor):
    while pathlib.Path({str(hang)!r}).exists():
        time.sleep(0.01)
    fsync(descriptor)
os.fsync = slow_fsync
"""
    with running_receiver(data, prelude=prelude, DLR_MAX_BODY_BYTES="250") as live:
        hang.touch()
        body = b"sms_status=" + b"1" * 200
        for _ in range(4):
            assert refused(push(live, body), "write_slow")
        assert in_flight(live) == 4 * len(body)
        assert refused(push(live, body), "too_much_in_flight")
        assert ask(live.base_url, "GET", "/readyz").status == 503
        hang.unlink()
        until(lambda: in_flight(live) == 0)
        assert push(live, body).body == b"SUCCESS"
    assert len(landed(data)) == 5


def test_killed_under_load_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    data = tmp_path / "data"
    acknowledged: Counter[bytes] = Counter()
    chance = random.Random(1)
    for round_number in range(3):
        with running_receiver(data) as live:
            pushers = [
                threading.Thread(target=push_on, args=(live, acknowledged, round_number, number))
                for number in range(8)
            ]
            for pusher in pushers:
                pusher.start()
            time.sleep(chance.uniform(0.05, 0.4))
            live.process.kill()
            for pusher in pushers:
                pusher.join()
    with running_receiver(data):
        assert not list((data / "landing" / "yunpian" / ".partial").iterdir())
    assert len(acknowledged) > 20
    assert not acknowledged - Counter(envelope.body for envelope in landed(data))
    assert all(file.suffix == ".jsonl" for file in landed_files(data))


def push_on(live: Live, acknowledged: "Counter[bytes]", *who: int) -> None:
    """Push bodies of its own, one after the other, until the receiver is gone."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = connect(live)
        with connection:
            for number in range(100_000):
                body = f"sms_status={who}-{number}-".encode() + b"1" * 20_000
                head = f"POST {live.push_path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}"
                connection.sendall(head.encode() + b"\r\n\r\n" + body)
                assert answer_on(connection).body == b"SUCCESS"
                acknowledged[body] += 1
