"""Landing: the exact files on disk, groups, and what happens when the disk fails."""

import asyncio
import errno
import fcntl
import os
import stat
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.envelope import Envelope
from ingest.durable import PARTIAL_SUFFIX, sweep_aside
from ingest.folder import LandingFolder
from ingest.groups import Group
from ingest.landing import Landing
from ingest.rejects import (
    ClosedError,
    DiskFullError,
    LandingError,
    TooMuchInFlightError,
    WriteFailedError,
)

MOMENT = datetime(2026, 11, 23, 6, 15, 0, 123456, tzinfo=UTC)


def an_envelope(number: int = 1) -> Envelope:
    return Envelope(f"{number:014x}-aa", MOMENT, "192.0.2.7", "", b"sms_status=%d" % number)


def a_line(number: int = 1) -> bytes:
    return an_envelope(number).to_line()


def tree(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def read(root: Path) -> list[list[Envelope]]:
    return [
        [Envelope.from_line(line) for line in file.read_bytes().splitlines()]
        for file in sorted(root.glob("[0-9]*/*.jsonl"))
    ]


def test_the_tree_is_as_drawn(folder: LandingFolder) -> None:
    file = folder.write(MOMENT, [a_line(1), a_line(2)])
    name = f"20261123T061500.123456Z-{folder.process}.jsonl"
    assert tree(folder.root.parent) == [
        "yunpian",
        "yunpian/.id",
        "yunpian/.partial",
        "yunpian/2026-11-23",
        f"yunpian/2026-11-23/{name}",
    ]
    assert file.read_bytes() == a_line(1) + a_line(2)


def test_everything_is_private(folder: LandingFolder) -> None:
    folder.write(MOMENT, [a_line()])
    for path in (folder.root.parent, *folder.root.parent.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def run(folder: LandingFolder, scenario: Callable[[Landing], Awaitable[None]]) -> None:
    """Play a scenario on an open landing over ``folder``."""

    async def play() -> None:
        landing = Landing(folder, in_flight_limit_bytes=1000)
        landing.open()
        try:
            await scenario(landing)
        finally:
            assert await asyncio.to_thread(landing.close)

    asyncio.run(play())


async def land(landing: Landing, *bodies: bytes) -> list[str]:
    """Submit all, wait for all; return the push ids."""
    waiting = [landing.submit(body, "192.0.2.7", "text/x") for body in bodies]
    await asyncio.gather(*(done for _, done in waiting))
    return [push_id for push_id, _ in waiting]


def test_what_waits_when_the_writer_wakes_shares_a_file(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken, held, write = threading.Event(), threading.Event(), folder.write

    def held_write(moment: datetime, lines: list[bytes]) -> Path:
        woken.set()
        held.wait()
        return write(moment, lines)

    monkeypatch.setattr(folder, "write", held_write)

    async def scenario(landing: Landing) -> None:
        first = landing.submit(b"1", "", "")[1]
        await asyncio.to_thread(woken.wait)
        others = [landing.submit(b"%d" % number, "", "")[1] for number in range(2, 7)]
        assert landing.bytes_in_flight == 6
        held.set()
        await asyncio.gather(first, *others)
        assert landing.bytes_in_flight == 0

    run(folder, scenario)
    groups = [[envelope.body for envelope in group] for group in read(folder.root)]
    assert groups == [[b"1"], [b"2", b"3", b"4", b"5", b"6"]]


def test_a_push_that_lingers_shares_its_file_with_those_that_come_meanwhile(
    folder: LandingFolder,
) -> None:
    async def scenario(landing: Landing) -> None:
        landing.linger_s = 60
        waiting = []
        for number in range(5):
            waiting.append(landing.submit(b"%d" % number, "", "")[1])
            await asyncio.sleep(0.01)
        assert not any(done.done() for done in waiting)
        landing.accepting = False  # what a stop does first
        landing.hasten()
        await asyncio.wait_for(asyncio.gather(*waiting), 10)

    run(folder, scenario)
    assert [len(group) for group in read(folder.root)] == [5]


@pytest.mark.parametrize("who", ["a probe", "a close", "much in flight", "many in flight"])
def test_who_is_urgent_ends_the_linger(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    async def scenario(landing: Landing) -> None:
        landing.linger_s = 60
        waiting = [landing.submit(b"1", "", "")[1]]
        await asyncio.sleep(0.01)
        if who == "a probe":
            waiting.append(landing.probe())
        elif who == "a close":
            assert await asyncio.to_thread(landing.close)
        elif who == "much in flight":
            waiting += [landing.submit(b"2" * 250, "", "")[1], landing.submit(b"3", "", "")[1]]
        else:
            monkeypatch.setattr("ingest.landing.IN_FLIGHT_LIMIT_PUSHES", 4)
            waiting += [landing.submit(b"%d" % number, "", "")[1] for number in (2, 3)]
        await asyncio.wait_for(asyncio.gather(*waiting), 10)

    run(folder, scenario)
    assert len(read(folder.root)) == 1


def test_a_linger_ends_by_itself(folder: LandingFolder) -> None:
    async def scenario(landing: Landing) -> None:
        landing.linger_s = 0.05
        await asyncio.wait_for(landing.submit(b"1", "", "")[1], 10)
        await asyncio.wait_for(landing.submit(b"2", "", "")[1], 10)

    run(folder, scenario)
    assert [len(group) for group in read(folder.root)] == [1, 1]


def test_what_the_system_takes_in_pieces_is_written_whole(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    writev = os.writev
    monkeypatch.setattr("ingest.durable._MOST_BUFFERS", 3)
    monkeypatch.setattr("os.writev", lambda fd, parts: writev(fd, [b"".join(parts)[:100]]))
    file = folder.write(MOMENT, [a_line(number) for number in range(20)])
    assert file.read_bytes() == b"".join(a_line(number) for number in range(20))


def test_pushes_in_flight_are_bounded_however_small(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()
    monkeypatch.setattr("ingest.landing.IN_FLIGHT_LIMIT_PUSHES", 3)
    monkeypatch.setattr(folder, "write", lambda *_: held.wait())

    async def scenario(landing: Landing) -> None:
        waiting = [landing.submit(b"1", "", "")[1] for _ in range(3)]
        with landing.receiving() as hold, pytest.raises(TooMuchInFlightError):
            hold.add(1)
        held.set()
        await asyncio.gather(*waiting)
        with landing.receiving() as hold:
            hold.add(1)

    run(folder, scenario)


def test_ids_ascend_with_reception_and_below_the_name_of_their_file(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([5_000_000, 5_000_000, 4_000_000, *range(6_000_000, 9_000_000, 1000)])
    monkeypatch.setattr("time.time_ns", lambda: next(clock))
    ids: list[str] = []

    async def scenario(landing: Landing) -> None:
        ids.extend(await land(landing, b"a", b"b", b"c"))
        ids.extend(await land(landing, b"d"))

    run(folder, scenario)
    envelopes = [envelope for group in read(folder.root) for envelope in group]
    assert [envelope.push_id for envelope in envelopes] == ids == sorted(set(ids))
    for envelope in envelopes:
        moment_us = int(envelope.push_id.partition("-")[0], 16)
        assert len(envelope.push_id.partition("-")[0]) == 14
        assert round(envelope.received_at.timestamp() * 1e6) == moment_us
    names = [file.name for file in sorted(folder.root.glob("[0-9]*/*"))]
    received = [f"{envelope.received_at:%Y%m%dT%H%M%S.%fZ}" for envelope in envelopes]
    assert max(*names, *received) == names[-1]


def test_two_processes_never_meet(folder: LandingFolder) -> None:
    other = LandingFolder(folder.root, free_floor_bytes=0)
    other.open()
    assert {folder.write(MOMENT, [a_line(1)]), other.write(MOMENT, [a_line(2)])} == set(
        folder.root.glob("*/*.jsonl")
    )


def test_the_bound_on_bytes_in_flight(folder: LandingFolder) -> None:
    async def scenario(landing: Landing) -> None:
        with landing.receiving() as hold, landing.receiving() as other:
            hold.add(900)
            other.add(100)
            with pytest.raises(TooMuchInFlightError):
                other.add(1)
            assert landing.bytes_in_flight == 1000
        assert landing.bytes_in_flight == 0

    run(folder, scenario)


def test_closing_writes_what_waits_and_takes_no_more(folder: LandingFolder) -> None:
    async def scenario(landing: Landing) -> None:
        _, done = landing.submit(b"last", "", "")
        assert await asyncio.to_thread(landing.close)
        await done
        with pytest.raises(ClosedError):
            landing.submit(b"late", "", "")

    run(folder, scenario)
    assert [[envelope.body for envelope in group] for group in read(folder.root)] == [[b"last"]]


def failing(code: int, *, when: Callable[[int], bool]) -> Callable[[int], None]:
    """Return an fsync that fails for the descriptors ``when`` says."""

    def fsync(descriptor: int) -> None:
        if when(descriptor):
            raise OSError(code, os.strerror(code))

    return fsync


def is_folder(descriptor: int) -> bool:
    return stat.S_ISDIR(os.fstat(descriptor).st_mode)


def is_file(descriptor: int) -> bool:
    return not is_folder(descriptor)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.ENOSPC, DiskFullError),
        (errno.EDQUOT, DiskFullError),
        (errno.EIO, WriteFailedError),
        (errno.EROFS, WriteFailedError),
    ],
)
def test_a_failed_sync_fails_the_group_and_nothing_is_visible(
    code: int, error: type[LandingError], folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[Group] = []

    async def scenario(landing: Landing) -> None:
        landing.listen(groups.append)
        with monkeypatch.context() as broken:
            broken.setattr("os.fsync", failing(code, when=is_file))
            for _ in range(2):
                with pytest.raises(error):
                    await land(landing, b"lost", b"lost too")
            assert read(folder.root) == []
            assert list((folder.root / ".partial").iterdir()) == []
            assert landing.bytes_in_flight == 0
        await land(landing, b"kept")

    run(folder, scenario)
    assert [[envelope.body for envelope in group] for group in read(folder.root)] == [[b"kept"]]
    assert [group.error is None for group in groups][-1]


def test_a_failed_sync_of_the_folder_is_never_a_success(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name may not survive a power cut, so it is taken back."""
    folder.write(MOMENT, [a_line(1)])
    monkeypatch.setattr("os.fsync", failing(errno.EIO, when=is_folder))
    with pytest.raises(OSError, match="Input/output"):
        folder.write(MOMENT.replace(microsecond=1), [a_line(2)])
    assert [len(group) for group in read(folder.root)] == [1]


def test_a_new_day_is_synced_again_after_its_first_sync_failed(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", failing(errno.EIO, when=is_folder))
        with pytest.raises(OSError, match="Input/output"):
            folder.write(MOMENT, [a_line()])
    synced: list[str] = []
    monkeypatch.setattr(
        "os.fsync", lambda fd: synced.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
    )
    folder.write(MOMENT, [a_line()])
    assert str(folder.root) in synced
    assert str(folder.root / "2026-11-23") in synced


def test_any_failure_of_the_writer_is_an_answer(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(landing: Landing) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(folder, "write", lambda *_: 1 / 0)
            with pytest.raises(WriteFailedError, match="ZeroDivisionError"):
                await land(landing, b"lost")
        await land(landing, b"kept")

    run(folder, scenario)


def test_less_than_the_floor_is_a_full_disk(tmp_path: Path) -> None:
    floored = LandingFolder(tmp_path / "root", free_floor_bytes=0)
    floored.open()
    floored.free_floor_bytes = 2**60
    with pytest.raises(OSError, match="bytes are free") as caught:
        floored.write(MOMENT, [a_line()])
    assert caught.value.errno == errno.ENOSPC
    assert read(floored.root) == []


def test_a_root_that_went_away_is_not_made_again(folder: LandingFolder) -> None:
    """An unmounted disk leaves its mount point: what is written there is lost to sight."""
    away = folder.root.rename(folder.root.with_name("away"))
    with pytest.raises(FileNotFoundError):
        folder.write(MOMENT, [a_line()])
    assert not folder.root.exists()
    away.rename(folder.root)
    folder.write(MOMENT, [a_line()])


def test_the_folder_of_a_day_comes_back(folder: LandingFolder) -> None:
    folder.write(MOMENT, [a_line()]).unlink()
    (folder.root / "2026-11-23").rmdir()
    with pytest.raises(FileNotFoundError):
        folder.write(MOMENT, [a_line()])
    folder.write(MOMENT, [a_line()])


def test_the_id_is_made_once_and_an_unfinished_one_is_swept_aside(folder: LandingFolder) -> None:
    id_file = folder.root / ".id"
    first = id_file.read_bytes()
    assert len(first) == 32
    assert list((folder.root / ".partial").iterdir()) == []
    (folder.root / ".partial" / "id-0.partial").write_bytes(first[:5])
    again = LandingFolder(folder.root, free_floor_bytes=0)
    assert [file.name for file in again.open()] == ["id-0.partial"]
    assert id_file.read_bytes() == first


@pytest.mark.parametrize("gone", [".partial", ".id"])
def test_what_tells_the_folder_is_never_made_again(gone: str, folder: LandingFolder) -> None:
    """Where it is missing, another folder may be in the place of ours."""
    away = (folder.root / gone).rename(folder.root.parent / "away")
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            folder.write(MOMENT, [a_line()])
        with pytest.raises(FileNotFoundError):
            folder.probe()
    away.rename(folder.root / gone)
    folder.write(MOMENT, [a_line()])


def test_what_the_dead_left_is_swept_aside_and_what_the_living_write_stays(
    folder: LandingFolder,
) -> None:
    partials = folder.root / ".partial"
    dead, living = (partials / f"{name}.jsonl{PARTIAL_SUFFIX}" for name in ("dead", "living"))
    dead.write_bytes(b'{"half')
    with living.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        swept = LandingFolder(folder.root, free_floor_bytes=0).open()
    aside = folder.root.parent / ".aside" / dead.name
    assert swept == [aside]
    assert aside.read_bytes() == b'{"half'
    assert list(partials.iterdir()) == [living]
    assert not list(folder.root.glob("[0-9]*"))


def test_a_start_beside_a_writer_leaves_its_file_alone(folder: LandingFolder) -> None:
    other = LandingFolder(folder.root, free_floor_bytes=0)

    def while_writing() -> Iterator[bytes]:
        assert other.open() == []
        yield a_line()

    assert folder.write(MOMENT, while_writing()).exists()


def test_a_file_swept_before_its_lock_is_made_again(
    folder: LandingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver that starts in just this moment takes the file for a dead one's."""
    lock, starts = fcntl.flock, iter([LandingFolder(folder.root, free_floor_bytes=0)])

    def start_another_first(file: int, how: int) -> None:
        for other in starts:
            assert len(other.open()) == 1
        lock(file, how)

    monkeypatch.setattr("fcntl.flock", start_another_first)
    folder.write(MOMENT, [a_line()])
    assert read(folder.root) == [[an_envelope()]]
    assert [file.stat().st_size for file in (folder.root.parent / ".aside").iterdir()] == [0]


def test_sweeping_nothing_makes_nothing(folder: LandingFolder) -> None:
    assert sweep_aside(folder.root / ".partial", folder.root.parent / ".aside") == []
    assert not (folder.root.parent / ".aside").exists()
