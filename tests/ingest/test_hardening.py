"""What a hostile or unlucky world does to a receiver, alone and as two workers behind a port."""

import contextlib
import http.client
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.envelope import Envelope
from tests.ingest.asking import metric, refused, until
from tests.live import (
    ROOT,
    TOKEN,
    Live,
    answer_on,
    ask,
    connect,
    landed,
    landed_files,
    log_of,
    push,
    running_receiver,
)
from tests.torture.books import left_behind
from tests.torture.disks import ext4, image_of, mount, unmount

BODY = b"sms_status=" + b"1" * 400
GET = b"GET /healthz HTTP/1.1\r\n"
ALONE_AND_TWO = pytest.mark.parametrize("workers", [1, 2])


def status_of(connection: socket.socket) -> int:
    return answer_on(connection).status


@pytest.mark.usefixtures("disks")
@ALONE_AND_TWO
def test_a_disk_mounted_at_the_landing_itself_goes_away(workers: int, tmp_path: Path) -> None:
    """The folder below the mount point was used once, without the disk: all in it looks right."""
    data = tmp_path / "data"
    root = data / "landing" / "yunpian"
    with running_receiver(data) as live:
        assert push(live, BODY).body == b"SUCCESS"
    hidden = sorted(root.rglob("*"))
    with disk_at(root) as image, running_receiver(data, workers=workers) as live:
        assert push(live, BODY).body == b"SUCCESS"
        unmount(root)
        for _ in range(6):
            assert refused(push(live, BODY), "write_failed")
        assert ask(live.base_url, "GET", "/readyz").status == 503
        assert sorted(root.rglob("*")) == hidden
        mount(image, root)
        until(lambda: push(live, BODY).body == b"SUCCESS")


@contextlib.contextmanager
def disk_at(root: Path) -> Iterator[Path]:
    """Mount a new disk at a folder that is there; yields its image."""
    other = root.parents[2] / "disk"
    with ext4(other, 128 * 1024**2):
        image = image_of(other)
        unmount(other)
        mount(image, root)
        try:
            yield image
        finally:
            unmount(root)
            mount(image, other)


BREAKS_FOLDER_SYNC = """
import errno, os, pathlib, stat
fsync = os.fsync
def broken(descriptor):
    day = stat.S_ISDIR(os.fstat(descriptor).st_mode) and "2" in os.readlink(
        f"/proc/self/fd/{descriptor}").rpartition("/")[2]
    if day and pathlib.Path(os.environ["BROKEN"]).exists():
        raise OSError(errno.EIO, "Input/output error")
    fsync(descriptor)
os.fsync = broken
"""


def test_a_push_refused_because_its_folder_was_not_synced_is_not_seen(tmp_path: Path) -> None:
    data, broken = tmp_path / "data", tmp_path / "broken"
    with running_receiver(data, prelude=BREAKS_FOLDER_SYNC, BROKEN=str(broken)) as live:
        assert push(live, BODY).body == b"SUCCESS"
        broken.touch()
        assert refused(push(live, BODY), "write_failed")
        assert len(landed_files(data)) == 1
        broken.unlink()
        assert push(live, BODY).body == b"SUCCESS"
    assert len(landed(data)) == 2


@ALONE_AND_TWO
def test_readiness_recovers_from_a_probe_file_that_stayed(workers: int, tmp_path: Path) -> None:
    """As a disk leaves it that fails between the writing and the removing of a probe."""
    data = tmp_path / "data"
    with running_receiver(data, workers=workers) as live:
        assert push(live, BODY).body == b"SUCCESS"
        for _ in range(8):
            push(live, BODY)
        for process in {file.stem.rpartition("-")[2] for file in landed_files(data)}:
            left = data / "landing" / "yunpian" / ".partial" / f"probe-{process}.partial"
            left.write_bytes(b"probe\n")
        time.sleep(1.1)  # readiness asks the disk once a second at most
        until(
            lambda: ask(live.base_url, "GET", "/readyz").status == 200 and not left_behind(data), 20
        )


@ALONE_AND_TWO
def test_headers_are_bounded_in_number_and_size(workers: int, tmp_path: Path) -> None:
    with running_receiver(tmp_path / "data", workers=workers) as live:
        for head in (b"a: b\r\n" * 101, b"a: " + b"b" * 33_000 + b"\r\n"):
            with connect(live) as connection:
                connection.sendall(GET + b"Host: x\r\n" + head + b"\r\n")
                assert status_of(connection) == http.client.REQUEST_HEADER_FIELDS_TOO_LARGE
        with connect(live) as connection:
            connection.sendall(GET + b"Host: x\r\n" + b"a: b\r\n" * 90 + b"\r\n")
            assert status_of(connection) == 200


def test_strangers_headers_take_little_memory(tmp_path: Path) -> None:
    """8,000 headers in each of many requests took 379 MB and 15 s."""
    with running_receiver(tmp_path / "data") as live:
        before = resident_kb(live.process.pid)
        with contextlib.ExitStack() as opened:
            for _ in range(100):
                connection = opened.enter_context(connect(live))
                with contextlib.suppress(OSError):
                    connection.sendall(GET + b"a:\r\n" * 8_000)
            assert push(live, BODY).body == b"SUCCESS"
            assert resident_kb(live.process.pid) - before < 20_000


def resident_kb(pid: int) -> int:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])  # type: ignore[index]


@ALONE_AND_TWO
@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n", 400),
        (b"GET /healthz HTTP/1.0\r\n", 200),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\n", 200),
    ],
)
def test_one_host_is_needed(head: bytes, status: int, workers: int, tmp_path: Path) -> None:
    with running_receiver(tmp_path / "data", workers=workers) as live, connect(live) as connection:
        connection.sendall(head + b"\r\n")
        assert status_of(connection) == status


@contextlib.contextmanager
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@ALONE_AND_TWO
def test_silent_connections_keep_nobody_out(workers: int, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with (
        many_files(),
        running_receiver(data, workers=workers) as live,
        contextlib.ExitStack() as opened,
    ):
        kept = opened.enter_context(contextlib.closing(known_connection(live)))
        for _ in range(1_100 * workers):
            opened.enter_context(connect(live))
        assert push(live, BODY).body == b"SUCCESS"
        kept.request("POST", live.push_path, BODY)
        assert kept.getresponse().read() == b"SUCCESS"


def known_connection(live: Live) -> http.client.HTTPConnection:
    """A connection on which a push with a valid token was taken."""
    connection = http.client.HTTPConnection(live.base_url.removeprefix("http://"), timeout=15)
    connection.request("POST", live.push_path, BODY)
    assert connection.getresponse().read() == b"SUCCESS"
    return connection


@pytest.mark.parametrize(("proxies", "open_after"), [("", 250), ("127.0.0.0/8", 400)])
def test_connections_of_an_address_are_bounded_unless_it_is_a_proxy(
    proxies: str, open_after: int, tmp_path: Path
) -> None:
    with (
        many_files(),
        running_receiver(tmp_path / "data", DLR_TRUSTED_PROXIES=proxies) as live,
        contextlib.ExitStack() as opened,
    ):
        connections = [opened.enter_context(connect(live)) for _ in range(400)]
        until(lambda: sum(not is_closed(one) for one in connections) == open_after)
        assert is_closed(connections[0]) == (open_after < 400)
        assert not is_closed(connections[-1])


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return bool(connection.recv(1 << 16, socket.MSG_PEEK)) or True
    except BlockingIOError:
        return False


LOCKS_FAIL = """
import errno, fcntl, os, pathlib
flock = fcntl.flock
def failing(file, flags):
    if flags == fcntl.LOCK_EX and pathlib.Path(os.environ["BROKEN"]).exists():
        raise OSError(errno.ENOLCK, "No locks available")
    flock(file, flags)
fcntl.flock = failing
"""


def test_a_failed_lock_leaks_no_descriptor(tmp_path: Path) -> None:
    data, broken = tmp_path / "data", tmp_path / "broken"
    with running_receiver(data, prelude=LOCKS_FAIL, BROKEN=str(broken)) as live:
        assert push(live, BODY).body == b"SUCCESS"
        broken.touch()
        before = descriptors_of(live)
        for _ in range(20):
            assert refused(push(live, BODY), "write_failed")
        assert descriptors_of(live) <= before + 3
        broken.unlink()
        assert push(live, BODY).body == b"SUCCESS"
    assert not left_behind(data)


def descriptors_of(live: Live) -> int:
    return len(list(Path(f"/proc/{live.process.pid}/fd").iterdir()))


SHIFTED_CLOCK = """
import os, pathlib, time
real = time.time_ns
time.time_ns = lambda: real() + int(pathlib.Path(os.environ["SHIFT"]).read_text()) * 10**9
"""


def test_a_clock_set_forward_and_back_is_followed(tmp_path: Path) -> None:
    data, shift = tmp_path / "data", tmp_path / "shift"
    shift.write_text("0")
    with running_receiver(data, prelude=SHIFTED_CLOCK, SHIFT=str(shift)) as live:
        for seconds in (0, 3_600, 0, -3_600, 0):
            shift.write_text(str(seconds))
            assert push(live, BODY).body == b"SUCCESS"
            newest = max(landed_files(data), key=lambda file: file.stat().st_ctime_ns)
            envelope = Envelope.from_line(newest.read_bytes())
            assert abs((envelope.received_at - datetime.now(UTC)).total_seconds() - seconds) < 30
    assert len({one.push_id for one in landed(data)}) == len(landed(data)) == 5


@ALONE_AND_TWO
def test_escaped_bodies_are_counted_as_they_are_held(workers: int, tmp_path: Path) -> None:
    """4 MiB of NULs are 24 MiB as JSON; ten of them at once were 240 MiB."""
    data, hang = tmp_path / "data", tmp_path / "hang"
    body = b"sms_status=" + bytes(4 * 1024**2 - 11)
    with running_receiver(data, workers=workers) as live:
        assert push(live, body).body == b"SUCCESS"
        until(lambda: metric(live, "dlr_landing_bytes_in_flight") == 0)
    assert [len(one.body) for one in landed(data)] == [4 * 1024**2]
    prelude = HANGS.replace("HANG", str(hang))
    with running_receiver(tmp_path / "other", prelude=prelude) as live:
        hang.touch()
        assert refused(push(live, body), "write_slow")
        assert metric(live, "dlr_landing_bytes_in_flight") > 23 * 1024**2
        assert refused(push(live, body), "write_slow")
        assert refused(push(live, body), "too_much_in_flight")
        hang.unlink()


HANGS = """
import os, pathlib, time
import ingest.receiver as receiver
receiver.LAND_TIMEOUT_S = 0.3
fsync = os.fsync
def slow_fsync(descriptor):
    while pathlib.Path("HANG").exists():
        time.sleep(0.01)
    fsync(descriptor)
os.fsync = slow_fsync
"""


def test_two_workers_that_drain_refuse_what_is_new(tmp_path: Path) -> None:
    """A request is under way for seconds; what connects meanwhile is not kept waiting and reset."""
    data = tmp_path / "data"
    with running_receiver(data, workers=2) as live, connect(live) as slow:
        slow.sendall(
            f"POST {live.push_path} HTTP/1.1\r\nHost: x\r\nContent-Length: 411\r\n\r\n".encode()
        )
        time.sleep(0.3)
        live.process.send_signal(signal.SIGTERM)
        until(lambda: ask(live.base_url, "GET", "/readyz").status == 503)
        time.sleep(1)
        with pytest.raises(ConnectionRefusedError):
            connect(live)
        slow.sendall(BODY)
        shutting_down = b"The receiver is shutting down, push again later.\n"
        assert answer_on(slow).body in (b"SUCCESS", shutting_down)


def test_every_503_asks_for_another_connection(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_receiver(data) as live:
        (data / "landing").rename(data / "away")
        assert push(live, BODY).headers["connection"] == "close"
        assert ask(live.base_url, "GET", "/readyz").headers["connection"] == "close"


@pytest.mark.usefixtures("disks")
def test_a_full_temporary_folder_ends_no_worker(tmp_path: Path) -> None:
    """Writing into a mapped file without room behind it is SIGBUS."""
    temporary, data = tmp_path / "tmp", tmp_path / "data"
    with ext4(temporary, 16 * 1024**2):
        with running_receiver(data, workers=2, TMPDIR=str(temporary)) as live:
            fill(temporary / "filler")
            for pid in children_of(live.process.pid):
                os.kill(pid, signal.SIGKILL)
            until(lambda: push_or_none(live) == b"SUCCESS")
            time.sleep(1.5)
            workers = children_of(live.process.pid)
            for _ in range(10):
                assert push(live, BODY).body == b"SUCCESS"
            assert children_of(live.process.pid) == workers
            assert metric(live, 'dlr_receiver_requests_total{outcome="landed"}') >= 11
        (temporary / "filler").unlink(missing_ok=True)
        fill(temporary / "filler")
        failed = started(["-m", "ingest.workers", "2"], data, TMPDIR=str(temporary))
        assert failed.returncode == 1
        assert failed.stderr.startswith("Cannot keep the workers' metrics in ")
        assert failed.stderr.count("\n") == 1


def push_or_none(live: Live) -> bytes | None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        return push(live, BODY).body
    return None


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass


def test_metrics_folders_of_killed_supervisors_are_removed(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = {"TMPDIR": str(temporary)}
    with running_receiver(tmp_path / "one", workers=2, **env) as first:
        first.process.kill()
        first.process.wait()
        assert len(list(temporary.glob("dlr-metrics-*"))) == 1
        with (
            running_receiver(tmp_path / "two", workers=2, **env),
            running_receiver(tmp_path / "three", workers=2, **env),
        ):
            assert len(list(temporary.glob("dlr-metrics-*"))) == 2
    assert list(temporary.glob("dlr-metrics-*")) == []


def started(arguments: list[str], data: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    """Start a receiver that is expected to end by itself."""
    own = {"PYTHONPATH": str(ROOT), "DLR_PUSH_TOKENS": TOKEN, "DLR_BIND": "127.0.0.1:0"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=data.parent,
        env=own | {"DLR_DATA": str(data)} | env,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["-m", "ingest.server"], ["-m", "ingest.workers", "2"]])
def test_a_dotenv_that_is_not_utf_8_is_one_sentence(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("DLR_PUSH_TOKENS=geheim-für-alle".encode("latin-1"))
    failed = started(arguments, tmp_path / "data")
    assert failed.returncode == 1
    assert failed.stderr.strip() == f"{tmp_path / '.env'} is not UTF-8 (byte 24); save it as UTF-8."


@ALONE_AND_TWO
def test_a_token_that_can_be_guessed_is_a_warning(workers: int, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_receiver(data, workers=workers, DLR_PUSH_TOKENS="x") as live:
        assert push(live, BODY).body == b"SUCCESS"
    assert log_of(data).read_text().count('"event": "token_too_short"') == 1
    with running_receiver(tmp_path / "other", workers=workers):
        pass
    assert "token_too_short" not in log_of(tmp_path / "other").read_text()
