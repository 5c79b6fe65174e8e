"""Several receivers: behind one port, and beside each other on one folder."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.command import dlr
from tests.ingest.asking import metric, until
from tests.live import ROOT, TOKEN, Live, ask, landed, landed_files, log_of, push, running_receiver


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        os.kill(pid, 0)
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


def push_many(lives: list[Live], each: int, connections: int = 8) -> "Counter[bytes]":
    """Push different bodies at all receivers at once; return what was acknowledged."""
    acknowledged: Counter[bytes] = Counter()

    def pusher(number: int) -> None:
        live = lives[number % len(lives)]
        for turn in range(each):
            body = b"sms_status=%d-%d-" % (number, turn) + b"1" * 2000
            if push(live, body).body == b"SUCCESS":
                acknowledged[body] += 1

    threads = [threading.Thread(target=pusher, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return acknowledged


def processes_in(data: Path) -> set[str]:
    """Return which processes wrote files; each has a mark of its own in its names."""
    return {file.stem.rpartition("-")[2] for file in landed_files(data)}


def test_workers_share_the_port_the_folder_and_the_figures(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_receiver(data, workers=2) as live:
        assert ask(live.base_url, "GET", "/readyz").status == 200
        acknowledged = push_many([live], each=30)
        # Whoever answers, and whenever its sibling wrote last.
        for _ in range(4):
            assert metric(live, 'dlr_receiver_requests_total{outcome="landed"}') == 240
            assert metric(live, "dlr_landing_data_loss_horizon_seconds") == 600
            assert metric(live, "dlr_landing_free_bytes") > 0
        assert metric(live, "dlr_receiver_last_success_timestamp_seconds") > 1.7e9
        until(lambda: metric(live, "dlr_landing_bytes_in_flight") == 0)
    assert live.process.returncode == 0
    assert acknowledged == Counter(envelope.body for envelope in landed(data))
    assert sum(acknowledged.values()) == 240
    assert len(processes_in(data)) == 2
    assert len({envelope.push_id for envelope in landed(data)}) == 240


def test_receivers_beside_each_other_never_collide(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_receiver(data) as one, running_receiver(data) as other:
        acknowledged = push_many([one, other], each=30)
    assert acknowledged == Counter(envelope.body for envelope in landed(data))
    assert sum(acknowledged.values()) == 240
    assert len(processes_in(data)) == 2


def test_a_worker_that_dies_is_replaced_and_its_counts_stay(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_receiver(data, workers=2) as live:
        push_many([live], each=5)
        victim, survivor = children_of(live.process.pid)
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(set(children_of(live.process.pid)) - {victim}) == 2)
        assert survivor in children_of(live.process.pid)
        assert push(live, b"sms_status=after").body == b"SUCCESS"
        assert metric(live, 'dlr_receiver_requests_total{outcome="landed"}') == 41
    assert live.process.returncode == 0
    assert '"event": "worker_ended"' in log_of(data).read_text()


def test_workers_stop_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    with running_receiver(tmp_path / "data", workers=2) as live:
        workers = children_of(live.process.pid)
        live.process.kill()
        until(lambda: not any(is_alive(worker) for worker in workers))


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"DLR_PUSH_TOKENS": ""}, "DLR_PUSH_TOKENS is empty"),
        ({"DLR_DATA": "a-file/data"}, "Cannot write to "),
        ({"DLR_BIND": "192.0.2.1:80"}, "Cannot listen on 192.0.2.1:80: "),
        ({"DLR_MAX_BODY_BYTES": "much"}, "Wrong settings:\n  DLR_MAX_BODY_BYTES "),
    ],
)
def test_what_keeps_workers_from_starting_is_said_once(
    env: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "a-file").touch()
    failed = subprocess.run(
        [sys.executable, "-m", "ingest.workers", "3"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "DLR_PUSH_TOKENS": TOKEN, "DLR_BIND": "127.0.0.1:0", **env},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith(sentence)
    assert failed.stderr.count(sentence) == 1


def test_a_number_of_workers_that_makes_no_sense(tmp_path: Path) -> None:
    failed = dlr(tmp_path / "data", "serve", "--workers", "0", DLR_PUSH_TOKENS=TOKEN)
    assert failed.returncode == 1
    assert failed.stderr == "dlr: --workers must be 1 or more.\n"
