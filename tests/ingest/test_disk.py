"""A disk that fails: 503 and never SUCCESS, nothing torn in sight, well again when the disk is."""

import contextlib
import itertools
import os
import resource
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.ingest.asking import in_flight, metric, refused, until
from tests.live import Live, ask, landed, landed_files, log_of, push, running_receiver
from tests.torture.books import is_whole, left_behind
from tests.torture.disks import ext4, few_inodes, image_of, mount, remount, shut_down, unmount

BODY = b"sms_status=" + b"1" * 4000
DISK_BYTES = 128 * 1024**2
_NUMBERS = itertools.count()

Trouble = Callable[[Live, Path], AbstractContextManager[str]]
"""Breaks the disk, says why pushes are refused meanwhile, and mends it."""

SIMULATED_FLOOR = """
import os, pathlib
import ingest.durable as durable
def room_of(folder):
    return durable.Room(2**40 * pathlib.Path(os.environ["DISK"]).exists(), 10**6, 10**6)
durable.room_of = room_of
"""
NO_FLOOR = """
import ingest.folder
ingest.folder.check_room = lambda *_: None
"""
# What root may on any file would hide the permissions. By ctypes, for Python cannot.
NO_MORE_THAN_ITS_OWNER_MAY = """
import ctypes
libc = ctypes.CDLL(None)
version_3_of_this_thread = (ctypes.c_uint32 * 2)(0x20080522, 0)
effective_permitted_inheritable = (ctypes.c_uint32 * 6)()
assert not libc.capget(version_3_of_this_thread, effective_permitted_inheritable)
effective_permitted_inheritable[0] &= ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
assert not libc.capset(version_3_of_this_thread, effective_permitted_inheritable)
"""
HANGS_WHILE_A_FILE_IS_THERE = """
import os, pathlib, time
import ingest.receiver as receiver, ingest.health as health
receiver.LAND_TIMEOUT_S = health.PROBE_TIMEOUT_S = 0.3
fsync = os.fsync
def slow_fsync(descriptor):
    while pathlib.Path(os.environ["HANG"]).exists():
        time.sleep(0.01)
    fsync(descriptor)
os.fsync = slow_fsync
"""


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
def below_a_simulated_floor(live: Live, data: Path) -> Iterator[str]:
    disk = data.with_name("disk")
    disk.unlink()
    yield "disk_full"
    disk.touch()


@contextlib.contextmanager
def no_permission_to_write(live: Live, data: Path) -> Iterator[str]:
    partials = data / "landing" / "yunpian" / ".partial"
    partials.chmod(0)
    yield "write_failed"
    partials.chmod(0o700)


@contextlib.contextmanager
def no_permission_to_publish(live: Live, data: Path) -> Iterator[str]:
    """Writing and syncing works, only the last step does not."""
    (file,) = landed_files(data)
    file.parent.chmod(0o500)
    yield "write_failed"
    file.parent.chmod(0o700)


@contextlib.contextmanager
def full(live: Live, data: Path) -> Iterator[str]:
    filler = data / "filler"
    fill(filler, leave_bytes=0)
    yield "disk_full"
    filler.unlink()


@contextlib.contextmanager
def below_the_floor(live: Live, data: Path) -> Iterator[str]:
    filler = data / "filler"
    fill(filler, leave_bytes=60 * 1024**2)
    yield "disk_full"
    filler.unlink()


@contextlib.contextmanager
def read_only(live: Live, data: Path) -> Iterator[str]:
    remount(data, "ro")
    yield "write_failed"
    remount(data, "rw")


@contextlib.contextmanager
def unmounted(live: Live, data: Path) -> Iterator[str]:
    unmount(data)
    yield "write_failed"
    assert not list(data.iterdir()), "written beside the disk, and hidden once it is back"
    mount(image_of(data), data)


@contextlib.contextmanager
def dead(live: Live, data: Path) -> Iterator[str]:
    """Every read and write is an I/O error."""
    shut_down(data)
    yield "write_failed"
    unmount(data)
    mount(image_of(data), data)


OF_ANY_FOLDER: dict[Trouble, str] = {
    folder_removed: "",
    folder_replaced_by_a_file: "",
    files_too_large: "",
    below_a_simulated_floor: SIMULATED_FLOOR,
    no_permission_to_write: NO_MORE_THAN_ITS_OWNER_MAY,
    no_permission_to_publish: NO_MORE_THAN_ITS_OWNER_MAY,
}
OF_A_REAL_DISK: dict[Trouble, str] = {
    full: NO_FLOOR,
    below_the_floor: "",
    read_only: NO_FLOOR,
    unmounted: NO_FLOOR,
    dead: NO_FLOOR,
}
"""Each trouble with the prelude of the receiver that gets into it."""


@pytest.mark.parametrize("trouble", OF_ANY_FOLDER)
def test_a_folder_that_fails_and_recovers(trouble: Trouble, tmp_path: Path) -> None:
    fails_and_recovers(tmp_path / "data", trouble, OF_ANY_FOLDER[trouble])


@pytest.mark.usefixtures("disks")
@pytest.mark.parametrize("trouble", OF_A_REAL_DISK)
def test_a_disk_that_fails_and_recovers(trouble: Trouble, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with ext4(data, DISK_BYTES):
        fails_and_recovers(data, trouble, OF_A_REAL_DISK[trouble])


def fails_and_recovers(data: Path, trouble: Trouble, prelude: str) -> None:
    disk = data.with_name("disk")
    disk.touch()
    with running_receiver(data, prelude=prelude, DISK=str(disk)) as live:
        assert push(live, BODY).body == b"SUCCESS"
        with trouble(live, data) as reason:
            for _ in range(2):
                assert refused(push(live, BODY), reason)
            assert ask(live.base_url, "GET", "/healthz").status == 200
            assert ask(live.base_url, "GET", "/readyz").status == 503
            assert metric(live, "dlr_landing_data_loss_horizon_seconds") < 600
        assert push(live, BODY).body == b"SUCCESS"
        assert ask(live.base_url, "GET", "/readyz").status == 200
        assert metric(live, "dlr_landing_data_loss_horizon_seconds") == 600
    assert [envelope.body for envelope in landed(data)] == [BODY, BODY]
    assert not left_behind(data)
    assert "landing_recovered" in log_of(data).read_text()


@pytest.mark.usefixtures("disks")
def test_a_disk_that_gets_full_in_the_midst_of_a_write(tmp_path: Path) -> None:
    """What was written of the push is taken back, and the room is there for a smaller one."""
    data = tmp_path / "data"
    with ext4(data, DISK_BYTES), running_receiver(data, prelude=NO_FLOOR) as live:
        assert push(live, BODY).body == b"SUCCESS"
        fill(data / "filler", leave_bytes=1024**2)
        large = b"sms_status=" + b"1" * 3 * 1024**2
        for _ in range(3):
            assert refused(push(live, large), "disk_full")
            assert not left_behind(data)
            assert all(is_whole(file.read_bytes()) for file in landed_files(data))
            assert push(live, BODY).body == b"SUCCESS"
        assert [len(envelope.body) for envelope in landed(data)] == [len(BODY)] * 4


@pytest.mark.usefixtures("disks")
def test_a_disk_that_runs_out_of_inodes(tmp_path: Path) -> None:
    """Pushes share files while inodes are few; a reserve is left to the pipeline, not used up."""
    data = tmp_path / "data"
    with few_inodes(data, 12_000), running_receiver(data) as live:
        assert push(live, BODY).body == b"SUCCESS"
        fill_inodes(data, leave=1_100)
        # the next look at the disk comes with the next file
        assert push(live, BODY).body == b"SUCCESS"
        in_threads(lambda: push(live, BODY), 8)
        assert [len(group) for group in landed_groups(data)] == [1, 1, 8]
        fill_inodes(data, leave=990)
        assert refused(push(live, BODY), "disk_full")
        ready = ask(live.base_url, "GET", "/readyz")
        assert (ready.status, metric(live, "dlr_landing_free_inodes")) == (503, 990)
        shutil.rmtree(data / "filler")
        assert push(live, BODY).body == b"SUCCESS"
        assert ask(live.base_url, "GET", "/readyz").status == 200
        assert metric(live, "dlr_landing_free_inodes") > 11_000
        assert len(landed(data)) == 11


@pytest.mark.usefixtures("disks")
@pytest.mark.parametrize("leave_bytes", [0, 60 * 1024**2], ids=["nothing", "below-the-floor"])
def test_it_starts_on_a_full_disk(leave_bytes: int, tmp_path: Path) -> None:
    """Refuses until there is room, then makes its folders; never under a disk that is unmounted."""
    data = tmp_path / "data"
    with ext4(data, DISK_BYTES):
        fill(data / "filler", leave_bytes)
        with running_receiver(data) as live:
            assert ask(live.base_url, "GET", "/healthz").status == 200
            assert ask(live.base_url, "GET", "/readyz").status == 503
            assert refused(push(live, BODY), "disk_full")
            unmount(data)
            assert refused(push(live, BODY), "write_failed")
            assert not list(data.iterdir()), "made beside the disk, and hidden once it is back"
            mount(image_of(data), data)
            (data / "filler").unlink()
            assert push(live, BODY).body == b"SUCCESS"
            # a probe is remembered for a second
            until(lambda: ask(live.base_url, "GET", "/readyz").status == 200)
        assert [envelope.body for envelope in landed(data)] == [BODY]


def landed_groups(data: Path) -> list[list[bytes]]:
    return [file.read_bytes().splitlines() for file in landed_files(data)]


def fill_inodes(disk: Path, leave: int) -> None:
    """Make empty files until so many more can be made."""
    (disk / "filler").mkdir(exist_ok=True)
    while (more := os.statvfs(disk).f_favail - leave) > 0:
        for _ in range(more):
            (disk / "filler" / f"{next(_NUMBERS)}").touch()


def fill(filler: Path, leave_bytes: int) -> None:
    """Leave so many bytes, or a little less, of the disk that ``filler`` lies on."""
    with filler.open("wb") as file, contextlib.suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, free(filler) - leave_bytes)
        while free(filler) > leave_bytes:
            file.write(bytes(4096))
            file.flush()


def free(path: Path) -> int:
    state = os.statvfs(path)
    return state.f_bavail * state.f_frsize


def test_a_disk_that_hangs_and_too_much_in_flight(tmp_path: Path) -> None:
    """Who waits too long is answered; what is queued stays bounded; all of it still lands."""
    data, hang = tmp_path / "data", tmp_path / "hang"
    prelude = (
        HANGS_WHILE_A_FILE_IS_THERE
        + "import ingest.server\ningest.server.IN_FLIGHT_LIMIT_BYTES = 1000\n"
        "ingest.server.BODIES_IN_FLIGHT = 4"
    )
    with running_receiver(data, prelude=prelude, HANG=str(hang), DLR_MAX_BODY_BYTES="250") as live:
        hang.touch()
        body = b"sms_status=" + b"1" * 200
        for _ in range(4):
            assert refused(push(live, body), "write_slow")
        assert in_flight(live) == 4 * len(body)
        assert refused(push(live, body), "too_much_in_flight")
        assert ask(live.base_url, "GET", "/readyz").status == 503
        assert metric(live, "dlr_landing_data_loss_horizon_seconds") < 600
        hang.unlink()
        until(lambda: in_flight(live) == 0)
        assert push(live, body).body == b"SUCCESS"
        assert metric(live, "dlr_landing_data_loss_horizon_seconds") == 600
    assert len(landed(data)) == 5


def test_stopped_while_the_disk_hangs_it_says_that_not_all_is_written(tmp_path: Path) -> None:
    data, hang = tmp_path / "data", tmp_path / "hang"
    prelude = (
        HANGS_WHILE_A_FILE_IS_THERE
        + "import ingest.server\ningest.landing.CLOSE_TIMEOUT_S = ingest.server.GRACE_S = 1"
    )
    with running_receiver(data, prelude=prelude, HANG=str(hang)) as live:
        hang.touch()
        assert refused(push(live, BODY), "write_slow")
        live.process.terminate()
        assert live.process.wait(10) == 1
    assert '"everything_written": false' in log_of(data).read_text()
    assert not landed(data)


def test_memory_stays_within_the_bound_however_much_is_pushed_at_a_disk_that_hangs(
    tmp_path: Path,
) -> None:
    data, hang = tmp_path / "data", tmp_path / "hang"
    body = b"sms_status=" + b"\xff" * 1024**2
    reasons: Counter[str] = Counter()
    with running_receiver(data, prelude=HANGS_WHILE_A_FILE_IS_THERE, HANG=str(hang)) as live:
        assert push(live, body).body == b"SUCCESS"
        before_kb = peak_kb(live)
        hang.touch()

        def push_many() -> None:
            for _ in range(20):
                reasons[push(live, body).headers["x-reject-reason"]] += 1

        in_threads(push_many, 16)
        waiting = reasons["write_slow"]
        hang.unlink()
        until(lambda: in_flight(live) == 0)
        grown_kb = peak_kb(live) - before_kb
    assert set(reasons) == {"write_slow", "too_much_in_flight"}
    assert reasons.total() == 320
    # The bound is 64 MiB of what is held, a third more than was pushed because it is no UTF-8;
    # connections and a line being written come on top.
    assert 42 < waiting <= 48
    assert grown_kb < 96 * 1024
    assert len(landed(data)) == 1 + waiting


def in_threads(work: Callable[[], None], number: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def peak_kb(live: Live) -> int:
    """Return the most memory the process ever had resident."""
    status = Path(f"/proc/{live.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line[:6] == "VmHWM:")
