"""The process: starting, stopping, health."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.ingest.asking import in_flight, metric, refused, until
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


def test_pushes_that_linger_share_a_file_and_a_stop_ends_their_wait(tmp_path: Path) -> None:
    data = tmp_path / "data"
    answers: list[Answer] = []
    with running_receiver(data, DLR_LINGER_MS="5000") as live:
        threads = [
            threading.Thread(target=lambda: answers.append(push(live, b"sms_status=[]")))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        until(lambda: in_flight(live) == 4 * len(b"sms_status=[]"))
        assert answers == []
        started = time.monotonic()
        live.process.terminate()
        for thread in threads:
            thread.join()
        assert time.monotonic() - started < 3
        assert live.process.wait(10) == 0
    assert [answer.body for answer in answers] == [b"SUCCESS"] * 4
    assert len(landed_files(data)) == 1
