"""Finished days in one compressed file: byte for byte, verifiable, and safe to be killed at."""

import gzip
import hashlib
import importlib
import os
import shutil
import signal
from datetime import date
from pathlib import Path

import pytest

from contract.settings import Settings
from pipelines.landing.compaction import compact
from pipelines.load.load import load
from pipelines.models.warehouse import open_warehouse
from pipelines.runs.rebuild import rebuild
from pipelines.runs.status import read_status
from pipelines.verify import verify
from tests.data_folder import (
    FIRST,
    Kept,
    fingerprint,
    form,
    land,
    push,
    record,
    run,
    settings_of,
    take,
    warehouse,
)
from tests.pipelines.test_crash import PROCESSES

TOMORROW = date(2026, 3, 3)
BOOKS = {
    "pushes": "from raw.pushes order by all",
    "rejects": "from raw.rejected_records order by all",
    "messages": "from core.sms_status order by all",
    "by file": "from ops.ledger_by_file order by all",
}


def day(settings: Settings) -> Path:
    return settings.landing / "yunpian" / f"{FIRST:%Y-%m-%d}"


def contents(settings: Settings) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in day(settings).iterdir()}


def books(settings: Settings) -> dict[str, object]:
    return {name: warehouse(settings, query) for name, query in BOOKS.items()}


def containers(settings: Settings) -> list[Path]:
    return sorted(day(settings).glob("*-compacted-*.jsonl.gz"))


def land_day(settings: Settings) -> None:
    for n in range(4):
        reports = [record(10 * n + k, uid=f"{n}{k}") for k in range(3)]
        land(
            settings,
            [
                push(form([*reports, record(0, uid=str(n)), {"sid": "1.5"}]), 2 * n),
                push(b"sms_status=[broken", 2 * n + 1),
            ],
            f"{n}",
        )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A day of four files, taken in."""
    settings = settings_of(tmp_path_factory.mktemp("compact") / "data")
    land_day(settings)
    run(settings)
    return Kept(settings)


@pytest.fixture
def taken(kept: Kept) -> Settings:
    return kept.put_back()


def test_a_day_becomes_one_file_that_zcat_gives_back(taken: Settings) -> None:
    before = contents(taken)
    done = compact(taken, TOMORROW)
    [container] = contents(taken)
    assert (done.days, done.files, done.waiting, done.differing) == (1, 4, [], [])
    assert gzip.decompress((day(taken) / container).read_bytes()) == b"".join(
        before[name] for name in sorted(before)
    )
    assert container.startswith(min(before)[:23] + "-compacted-")
    rows = warehouse(
        taken,
        "select file, offset_bytes, bytes, sha256 from ops.compacted_files order by offset_bytes",
    )
    offset = 0
    for (name, at, size, digest), (base, data) in zip(rows, sorted(before.items()), strict=True):
        assert (Path(name).name, at, size) == (base, offset, len(data))
        assert digest == hashlib.sha256(data).hexdigest()
        offset += size


def test_nothing_in_the_tables_changes_and_nothing_is_pending(taken: Settings) -> None:
    before = books(taken)
    compact(taken, TOMORROW)
    assert books(taken) == before
    assert take(taken).files == 0
    status = read_status(taken)
    assert (status.pending_files, status.landed_files, status.problems) == (0, 1, [])
    assert str(verify(taken).findings) == "[]"


def test_a_rebuild_from_compacted_files_gives_the_same_tables(taken: Settings) -> None:
    before, right = books(taken), fingerprint(taken)
    compact(taken, TOMORROW)
    where = warehouse(
        taken, "select file, container, offset_bytes, sha256 from ops.compacted_files"
    )
    rebuild(taken, "rebuild")
    assert (books(taken), fingerprint(taken)) == (before, right)
    again = "select file, container, offset_bytes, sha256 from ops.compacted_files"
    assert warehouse(taken, again) == where
    assert str(verify(taken).findings) == "[]"
    assert compact(taken, TOMORROW).files == 0


def test_a_compacted_day_taken_again_heals_what_was_tampered_with(taken: Settings) -> None:
    before, right = books(taken), fingerprint(taken)
    compact(taken, TOMORROW)
    warehouse(taken, "update core.sms_status set uid = 'forged'")
    warehouse(taken, "update core.repeated_reports set uid = 'forged'")
    warehouse(taken, "delete from raw.rejected_records")
    warehouse(taken, "insert into raw.pushes select * replace ('x' as push_id) from raw.pushes")
    with open_warehouse(taken) as con:
        load(con, taken, "again", [FIRST.date()])
    assert (books(taken), fingerprint(taken)) == (before, right)


def test_parts_of_a_compacted_day_are_cut_at_line_ends(
    taken: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, right = books(taken), fingerprint(taken)
    compact(taken, TOMORROW)
    for most in (1, 2_000):
        monkeypatch.setattr("pipelines.load.batch._MOST_BYTES", most)
        rebuild(taken, f"rebuild-{most}")
        assert (books(taken), fingerprint(taken)) == (before, right)
        with open_warehouse(taken) as con:
            load(con, taken, f"again-{most}", [FIRST.date()])
        assert (books(taken), fingerprint(taken)) == (before, right)
        assert list((taken.data / "tmp").glob("*.jsonl")) == []


def test_a_large_file_is_taken_in_parts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = land(settings, [push(form([record(n), record(1)]), n) for n in range(8)])
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"\n", b"\nno envelope\n", 1) + whole[:50])
    take(settings)
    right, problem = fingerprint(settings), read_status(settings).quarantined
    assert next(iter(problem.values())).startswith("line 2: not an envelope")
    monkeypatch.setattr("pipelines.load.batch._MOST_BYTES", 1_000)
    rebuild(settings, "rebuild")
    assert fingerprint(settings) == right
    assert warehouse(settings, "select count(*), min(files) from ops.ledger") == [(1, 1)]
    [text] = read_status(settings).quarantined.values()
    assert text.startswith("line 2: not an envelope")


def test_what_is_not_sound_is_left_as_it_is(taken: Settings) -> None:
    torn = land(taken, [push(form([record(n)]), n) for n in (20, 21)], "torn")
    torn.write_bytes(torn.read_bytes()[:-50])
    open_ended = land(taken, [push(form([record(22)]), 22)], "open")
    open_ended.write_bytes(open_ended.read_bytes()[:-1])
    (day(taken) / "notes.txt").write_text("not for you")
    take(taken)
    changed = min(day(taken).glob("*-1.jsonl"))
    info = changed.stat()
    changed.write_bytes(changed.read_bytes().replace(b"+++", b"---").swapcase())
    os.utime(changed, ns=(info.st_atime_ns, info.st_mtime_ns))
    done = compact(taken, TOMORROW)
    assert done.files == 3
    assert [Path(name).name for name in done.differing] == [changed.name]
    left = {torn.name, open_ended.name, "notes.txt", changed.name, containers(taken)[0].name}
    assert set(contents(taken)) == left


def test_a_day_with_something_pending_and_a_younger_one_are_left_alone(taken: Settings) -> None:
    before = contents(taken)
    assert compact(taken, FIRST.date()).files == 0
    land(taken, [push(form([record(9)]), 99)], "late")
    done = compact(taken, TOMORROW)
    assert (done.files, done.waiting) == (0, ["yunpian/2026-03-02"])
    assert contents(taken).items() >= before.items()
    take(taken)
    assert compact(taken, TOMORROW).files == 5


def test_a_late_file_and_a_restored_backup_add_nothing_wrong(taken: Settings) -> None:
    original = sorted(day(taken).glob("*.jsonl"))[1]
    backup = taken.data / "backup.jsonl"
    shutil.copy(original, backup)
    compact(taken, TOMORROW)
    before = books(taken)
    shutil.copy(backup, original)
    take(taken)
    assert books(taken) == before
    assert compact(taken, TOMORROW).files == 0
    assert [path.name for path in containers(taken)] == list(contents(taken))
    land(taken, [push(form([record(77)]), 77)], "late")
    take(taken)
    done = compact(taken, TOMORROW)
    assert (done.files, done.containers) == (1, 1)
    assert len(contents(taken)) == len(containers(taken)) == 1
    right = books(taken)
    rebuild(taken, "rebuild")
    assert books(taken) == right
    assert str(verify(taken).findings) == "[]"


def test_an_altered_container_is_found_and_nothing_is_deleted_for_it(taken: Settings) -> None:
    backup = taken.data / "backup"
    shutil.copytree(day(taken), backup)
    compact(taken, TOMORROW)
    [container] = containers(taken)
    data = gzip.decompress(container.read_bytes())
    container.write_bytes(gzip.compress(data.replace(b"%22uid%22", b"%22uiD%22", 1)))
    text = "\n".join(map(str, verify(taken).findings))
    assert f"{container.name}: the landed file was altered" in text
    shutil.copytree(backup, day(taken), dirs_exist_ok=True)
    take(taken)
    altered = container.read_bytes()
    assert Path(compact(taken, TOMORROW).differing[0]).name == container.name
    assert contents(taken) == {
        container.name: altered,
        **{path.name: path.read_bytes() for path in backup.iterdir()},
    }


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_container_gives_what_can_be_read(taken: Settings, damage: str) -> None:
    compact(taken, TOMORROW)
    [container] = containers(taken)
    data = bytearray(container.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 0xFF
    container.write_bytes(data if damage == "flipped" else data[: len(data) * 2 // 3])
    rebuild(taken, "rebuild")
    [problem] = read_status(taken).quarantined.values()
    assert "gzip; everything before the damage is taken" in problem
    assert warehouse(taken, "select count(*) > 2 from raw.pushes") == [(True,)]
    assert str(verify(taken).findings) == "[]"
    damaged = read_status(taken).quarantined
    assert len(damaged) == 1


# --- Killed at every step --------------------------------------------------------------------

POINTS = [
    # where in a compaction, at which call, and whether a run comes before the next one
    ("pipelines.landing.compactor.admit", 1, False),
    ("pipelines.landing.containers.write_member", 3, True),
    ("pipelines.landing.containers._starts", 1, False),
    ("pipelines.landing.containers.sync", 1, True),  # renamed, the folder not synced
    ("pipelines.landing.containers.register_compaction", 1, True),
    ("pipelines.landing.containers.register_compaction", 1, False),
    ("pipelines.landing.containers.delete", 1, True),
    ("pathlib.Path.unlink", 2, False),  # the first is that of what an earlier process left
    ("pathlib.Path.unlink", 4, True),
    ("pipelines.landing.containers.sync", 2, False),
]


def die_when_called(target: str, calls: int) -> None:
    """Let this process be killed by its ``calls``-th call of ``target``."""
    owner_name, _, name = target.rpartition(".")
    if owner_name == "pathlib.Path":
        owner: object = Path
    else:
        owner = importlib.import_module(owner_name)
    real = getattr(owner, name)
    left = [calls]

    def die(*args: object, **kwargs: object) -> object:
        left[0] -= "lock" not in str(args[0])
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    setattr(owner, name, die)


def compact_and_die(data: Path, target: str, calls: int) -> None:
    """In a process of its own: a compaction that gets as far as there."""
    settings = settings_of(data)
    die_when_called(target, calls)
    compact(settings, TOMORROW)


@pytest.mark.parametrize(("target", "calls", "between"), POINTS)
def test_killed_at_any_step_nothing_is_lost_or_doubled(
    taken: Settings, target: str, calls: int, *, between: bool
) -> None:
    before, originals = books(taken), contents(taken)
    child = PROCESSES.Process(target=compact_and_die, args=(taken.data, target, calls))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL, "the step was never reached"
    visible = {n: data for n, data in contents(taken).items() if not n.startswith(".")}
    packed = b"".join(gzip.decompress(path.read_bytes()) for path in containers(taken))
    assert all(data in packed or visible.get(name) == data for name, data in originals.items())
    if between:
        take(taken)
        assert books(taken) == before
    compact(taken, TOMORROW)
    take(taken)
    compact(taken, TOMORROW)
    assert list(contents(taken)) == [path.name for path in containers(taken)]
    assert len(containers(taken)) == 1
    assert books(taken) == before
    assert str(verify(taken).findings) == "[]"
