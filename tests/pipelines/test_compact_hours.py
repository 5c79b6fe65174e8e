"""Closed hours in one compressed file each, by the run itself, and hours in their day's file."""

import gzip
import os
import shutil
import signal
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.settings import Settings
from pipelines.landing import closed_partitions, compactor
from pipelines.landing.closed_partitions import take_inventory
from pipelines.landing.compaction import Compaction, compact, compact_gradually
from pipelines.landing.compactor import Compactor
from pipelines.load.load import load
from pipelines.load.marts import refresh_marts
from pipelines.models.warehouse import open_warehouse
from pipelines.runs.rebuild import rebuild
from pipelines.runs.status import read_status
from pipelines.verify import verify
from tests.data_folder import (
    FIRST,
    Kept,
    fingerprint,
    form,
    push,
    record,
    run,
    settings_of,
    take,
    warehouse,
)
from tests.pipelines.test_compact import (
    TOMORROW,
    books,
    containers,
    contents,
    day,
    die_when_called,
)
from tests.pipelines.test_crash import PROCESSES
from tests.torture.disks import few_inodes, why_no_disks

HOUR = timedelta(hours=1)
FILES_AN_HOUR = 4


def land_hour(settings: Settings, at: datetime, first: int, files: int = FILES_AN_HOUR) -> None:
    """Land files of one push each, a second apart; sid 0 comes again in every one."""
    folder = settings.landing / "yunpian" / f"{at:%Y-%m-%d}"
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(first, first + files):
        moment = at + timedelta(seconds=n)
        lines = push(form([record(n), record(0, uid=str(n))]), n, received_at=moment).to_line()
        (folder / f"{moment:%Y%m%dT%H%M%S}.000000Z-{n}.jsonl").write_bytes(lines)


def take_and_compact(settings: Settings) -> Compaction:
    """What a run does, without publishing."""
    with open_warehouse(settings) as con:
        listing = load(con, settings, uuid.uuid4().hex).listing
        assert listing is not None
        done = compact_gradually(con, settings, listing)
        refresh_marts(con)
    return done


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compact hours with as few files as a test can land."""
    monkeypatch.setattr(compactor, "FEW_FILES", 3)
    monkeypatch.setattr(compactor, "MANY_FILES", 6)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Two hours of a finished day, and two files of a third; taken, not compacted."""
    settings = settings_of(tmp_path_factory.mktemp("hours") / "data")
    for n, files in enumerate((FILES_AN_HOUR, FILES_AN_HOUR, 2)):
        land_hour(settings, FIRST + n * HOUR, 10 * n, files)
    run(settings)
    return Kept(settings)


@pytest.fixture
def taken(kept: Kept) -> Settings:
    return kept.put_back()


@pytest.fixture
def by_hour(taken: Settings) -> Settings:
    take_and_compact(taken)
    return taken


def take_something_else(settings: Settings) -> None:
    """A run with a file of another day."""
    land_hour(settings, FIRST + 24 * HOUR, 1000, 1)
    take(settings)


def unpacked(settings: Settings) -> bytes:
    """The bytes of all landed files of the day, in the order of their names."""
    return b"".join(
        gzip.decompress(data) if name.endswith(".gz") else data
        for name, data in sorted(contents(settings).items())
        if not name.startswith(".")
    )


def expect_sound(settings: Settings, right: dict[str, object], *, rebuilt: bool = True) -> None:
    """Nothing is pending, tables are right and verify, also rebuilt from what lies there."""
    assert take(settings).files == 0
    run(settings)
    assert read_status(settings).problems == []
    before = fingerprint(settings)
    if rebuilt:
        rebuild(settings, "rebuild")
    assert (books(settings), fingerprint(settings)) == (right, before)
    assert str(verify(settings).findings) == "[]"


def test_closed_hours_become_a_file_each_that_zcat_gives_back(taken: Settings) -> None:
    text, right = unpacked(taken), books(taken)
    done = take_and_compact(taken)
    assert (done.days, done.files, done.containers) == (1, 2 * FILES_AN_HOUR, 0)
    names = sorted(contents(taken))
    assert [name[:11] for name in names] == ["20260302T08", "20260302T09", *["20260302T10"] * 2]
    assert len(containers(taken)) == 2
    assert unpacked(taken) == text
    assert take_and_compact(taken) == Compaction()
    expect_sound(taken, right)


def test_hours_fold_into_the_file_of_their_day(by_hour: Settings) -> None:
    text, right = unpacked(by_hour), books(by_hour)
    members = "select file, bytes, sha256, run_id from ops.compacted_files order by file"
    before = warehouse(by_hour, members)
    done = compact(by_hour, TOMORROW)
    assert (done.days, done.files, done.containers) == (1, 2, 2)
    assert done.bytes_after == sum(path.stat().st_size for path in containers(by_hour))
    assert len(contents(by_hour)) == len(containers(by_hour)) == 1
    assert unpacked(by_hour) == text
    assert set(before) < set(warehouse(by_hour, members))
    rows = warehouse(by_hour, "select offset_bytes, bytes from ops.compacted_files order by all")
    ends = [offset + size for offset, size in rows]
    assert [offset for offset, _ in rows] == [0, *ends[:-1]]
    assert ends[-1] == len(text)
    assert compact(by_hour, TOMORROW) == Compaction()
    expect_sound(by_hour, right)


def test_an_hour_with_many_files_is_compacted_before_it_is_over(settings: Settings) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    folder = settings.landing / "yunpian" / f"{now:%Y-%m-%d}"
    land_hour(settings, now, 0, 5)
    run(settings)
    assert take_and_compact(settings) == Compaction(), "fewer than many"
    for first in (10, 20):
        land_hour(settings, now, first, 6)
        take_and_compact(settings)
    assert len(list(folder.iterdir())) == 2, "not combined: that is for the hour's end"
    land_hour(settings, now, 30, 1)
    take(settings)
    report = Compaction()
    with open_warehouse(settings) as con:
        [partition] = take_inventory(con, settings.landing).listing.partitions
        Compactor(con, settings.landing, partition, report).compact_hours(now + HOUR)
    assert (report.files, report.containers) == (0, 2)
    assert sorted(path.suffix for path in folder.iterdir()) == [".gz", ".jsonl"]
    expect_sound(settings, books(settings))


def test_late_files_of_an_hour_join_its_file(by_hour: Settings) -> None:
    land_hour(by_hour, FIRST, 60, 3)
    text = unpacked(by_hour)
    done = take_and_compact(by_hour)
    assert (done.files, done.containers) == (3, 1)
    assert sorted(unpacked(by_hour).splitlines()) == sorted(text.splitlines())
    assert len(containers(by_hour)) == 2


def test_nothing_is_compacted_where_the_setting_says_never(kept: Kept) -> None:
    never = settings_of(kept.put_back().data, compact_after_days=0)
    assert take_and_compact(never) == Compaction()


def test_only_files_that_were_taken_as_they_lie_there_are_compacted(taken: Settings) -> None:
    eight = sorted(day(taken).glob("20260302T08*"))
    eight[0].write_bytes(eight[0].read_bytes() + b"no envelope\n")
    info = eight[1].stat()
    eight[1].write_bytes(eight[1].read_bytes().swapcase())
    os.utime(eight[1], ns=(info.st_atime_ns, info.st_mtime_ns))
    done = take_and_compact(taken)
    assert done.files == FILES_AN_HOUR + 2
    assert done.differing == [f"yunpian/2026-03-02/{eight[1].name}"]
    assert {path.name for path in eight[:2]} < set(contents(taken))


@pytest.mark.parametrize("what", ["an original", "an hour", "an hour under another name", "all"])
def test_what_comes_back_from_a_backup_disappears_again(taken: Settings, what: str) -> None:
    backup = taken.data / "backup"
    shutil.copytree(day(taken), backup)
    take_and_compact(taken)
    hours = containers(taken)
    shutil.copytree(day(taken), backup, dirs_exist_ok=True)
    compact(taken, TOMORROW)
    held = contents(taken)
    if what == "an original":
        shutil.copy(min(backup.glob("*-3.jsonl")), day(taken))
    elif what == "an hour":
        shutil.copy(backup / hours[0].name, day(taken))
    elif what == "an hour under another name":
        shutil.copy(backup / hours[0].name, day(taken) / "copy.jsonl.gz")
    else:
        shutil.copytree(backup, day(taken), dirs_exist_ok=True)
    assert len(contents(taken)) > 1
    take_and_compact(taken)
    assert str(verify(taken).findings) == "[]"
    compact(taken, TOMORROW)
    assert str(verify(taken).findings) == "[]", "the newest run still has all of its files"
    take_something_else(taken)
    assert compact(taken, TOMORROW).differing == []
    right = books(taken)
    assert contents(taken) == held
    expect_sound(taken, right, rebuilt=False)


def test_an_hour_that_a_compacted_one_lost_is_kept(by_hour: Settings) -> None:
    """Only bytes prove that a file is held elsewhere."""
    backup = by_hour.data / "hour"
    shutil.copy(containers(by_hour)[0], backup)
    compact(by_hour, TOMORROW)
    [whole] = containers(by_hour)
    whole.write_bytes(whole.read_bytes()[:200])
    again = shutil.copy(backup, day(by_hour) / "copy.jsonl.gz")
    take(by_hour)
    compact(by_hour, TOMORROW)
    assert again.read_bytes() == backup.read_bytes()


def test_a_closed_day_that_comes_of_age_is_compacted_by_a_run_once(
    by_hour: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closed_partitions, "_SETTLED_NS", 0)
    open_ended = day(by_hour) / "20260302T110000.000000Z-open.jsonl"
    open_ended.write_bytes(push(form([record(0)]), 90).to_line()[:-1])
    take(by_hour)
    assert take_and_compact(by_hour) == Compaction(), "closed at a greater age: that was tried"
    warehouse(by_hour, "update ops.sealed_days set sealed_at_utc = '2026-03-06 01:00:00'")
    days: list[str] = []
    real = Compactor.compact_day
    monkeypatch.setattr(
        Compactor, "compact_day", lambda self: (days.append(self.partition.name), real(self))
    )
    assert take_and_compact(by_hour).containers == 2
    for _ in range(3):
        assert take_and_compact(by_hour) == Compaction()
    assert days == ["yunpian/2026-03-02"]
    assert len(contents(by_hour)) == 2
    [closed] = warehouse(by_hour, "select folder, files from ops.sealed_days")
    assert closed == ("yunpian/2026-03-02", 2)
    assert str(verify(by_hour).findings) == "[]"


def test_a_disk_that_holds_no_further_file_does_not_fail_the_run(
    taken: Settings, tmp_path: Path
) -> None:
    if reason := why_no_disks():
        pytest.skip(reason)
    files = contents(taken)
    shutil.rmtree(day(taken))
    # the folder of the mount counts as well
    with few_inodes(day(taken), len(files) + 1):
        for name, content in files.items():
            (day(taken) / name).write_bytes(content)
        take(taken)
        done = take_and_compact(taken)
        assert (done.files, contents(taken)) == (0, files)
        [line] = done.log_lines()
        assert "could not be compacted; the next run tries again. No space left on device" in line
        shutil.move(min(day(taken).glob("20260302T10*")), tmp_path)
        assert take_and_compact(taken).files == 2 * FILES_AN_HOUR


def test_steps_of_a_few_files_end_in_the_same(
    taken: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compactor, "MOST_PARTS", 3)
    text, right = unpacked(taken), books(taken)
    done = compact(taken, TOMORROW)
    assert (done.files, done.containers) == (10, 0)
    assert len(contents(taken)) == 1
    assert unpacked(taken) == text
    expect_sound(taken, right, rebuilt=False)


# --- Killed at every step --------------------------------------------------------------------

POINTS = [
    # where, at which call; what comes before the next compaction: nothing, a run, a late file too
    ("pipelines.landing.containers.write_member", 6, "nothing"),  # in the second hour
    ("pipelines.landing.containers._starts", 2, "a run"),
    ("pipelines.landing.containers.register_compaction", 2, "a run"),
    ("pipelines.landing.containers.delete", 2, "a late file"),
    # in the day, of three files: two hours, and what is left
    ("shutil.copyfileobj", 12, "a run"),
    ("pipelines.landing.containers.sync", 7, "nothing"),  # renamed
    ("pipelines.landing.containers.register_compaction", 4, "a run"),
    ("pipelines.landing.containers.register_compaction", 4, "a late file"),
    ("pipelines.landing.containers.delete", 4, "a run"),
    ("pipelines.landing.containers.delete", 4, "a late file"),
]


def compact_and_die(data: Path, target: str, calls: int) -> None:
    """In a process of its own: hours, then their day, up to the ``calls``-th call of ``target``."""
    compactor.FEW_FILES = 3
    settings = settings_of(data)
    die_when_called(target, calls)
    take_and_compact(settings)
    compact(settings, TOMORROW)


@pytest.mark.parametrize(("target", "calls", "between"), POINTS)
def test_killed_at_any_step_nothing_is_lost_or_doubled(
    taken: Settings, target: str, calls: int, between: str
) -> None:
    lines = sorted(unpacked(taken).splitlines())
    child = PROCESSES.Process(target=compact_and_die, args=(taken.data, target, calls))
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL, "the step was never reached"
    assert set(unpacked(taken).splitlines()) == set(lines)
    if between == "a late file":  # what is combined next has another name
        land_hour(taken, FIRST, 60, 1)
        take(taken)
    if between != "nothing":
        before = books(taken)
        take_and_compact(taken)
        assert books(taken) == before
        assert str(verify(taken).findings) == "[]"
    compact(taken, TOMORROW)
    take_something_else(taken)
    take_and_compact(taken)
    right = books(taken)
    compact(taken, TOMORROW)
    assert list(contents(taken)) == [path.name for path in containers(taken)]
    assert len(containers(taken)) == 1
    assert len(unpacked(taken).splitlines()) == len(lines) + (between == "a late file")
    expect_sound(taken, right, rebuilt=False)
