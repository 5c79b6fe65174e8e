"""What was lost or altered is made again; what cannot be made leaves readers what they have."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from contract.settings import Settings
from pipelines.folder.show import analytics_path, manifest_path
from pipelines.models.warehouse import open_warehouse
from pipelines.publish.publish import can_publish, is_current, publish
from pipelines.publish.report import page
from tests.agreement import everywhere, figures_of, manifest_of
from tests.command import dlr
from tests.data_folder import FIRST, Kept, form, land, push, record, run, settings_of, take

MOBILE = "15205201314"
Harm = Callable[[Path], object]


def land_days(settings: Settings, sids: range, name: str = "a") -> None:
    """One report a day, received two seconds after its event."""
    pushes = []
    for sid in sids:
        at = FIRST + timedelta(days=sid)
        local = f"{at + timedelta(hours=8):%Y-%m-%d %H:%M:%S}"
        one = form([record(sid, user_receive_time=local)])
        pushes.append(push(one, sid, received_at=at + timedelta(seconds=2)))
    land(settings, pushes, name)


def publish_days(settings: Settings) -> Settings:
    """Three days, published in two steps, so that there is an older state, too."""
    land_days(settings, range(2))
    run(settings)
    keep = settings.data.parent / "older"
    shutil.copytree(settings.data / "exports", keep / "exports", symlinks=True)
    shutil.copy2(analytics_path(settings), keep)
    land_days(settings, range(2, 3), "b")
    run(settings)
    assert everywhere(settings) == {3}
    return settings


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(publish_days(settings_of(tmp_path_factory.mktemp("published") / "data")))


@pytest.fixture
def published(kept: Kept) -> Settings:
    """A folder that a test may leave as it likes."""
    return kept.put_back()


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A folder that every test leaves as it found it."""
    return publish_days(settings_of(tmp_path_factory.mktemp("mended") / "data"))


def data_file(exports: Path) -> Path:
    """The messages of the first day."""
    files = json.loads((exports / "manifest.json").read_text(encoding="utf-8"))["files"]
    [path] = [one["path"] for one in files if "event_date=2026-03-02" in one["path"]]
    return exports / path


def older(name: str) -> Harm:
    """Put the state before in the place of today's."""
    return lambda exports: shutil.copy2(exports.parents[1] / "older" / name, exports.parent / name)


def same_size(path: Path) -> None:
    """Change a byte in the middle, keeping the size and the time of modification."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def link_to_the_tree_before(exports: Path) -> None:
    tree, *_ = set((exports / ".current").iterdir()) - {(exports / "current").resolve()}
    (exports / "current").unlink()
    (exports / "current").symlink_to(f".current/{tree.name}")


def current_as_a_folder(exports: Path) -> None:
    """As a copy that follows links leaves it."""
    tree = (exports / "current").resolve()
    (exports / "current").unlink()
    shutil.copytree(tree, exports / "current")


def one_link_less(exports: Path) -> None:
    next((exports / "current" / "sms_status").iterdir()).unlink()


def one_link_more(exports: Path) -> None:
    folder = exports / "current" / "sms_status"
    (folder / "twice.parquet").symlink_to(next(folder.iterdir()).readlink())


HARM: dict[str, tuple[Harm, str]] = {
    "data file gone": (lambda exports: data_file(exports).unlink(), "1 data file"),
    "data file altered": (lambda exports: same_size(data_file(exports)), "1 data file"),
    "data file empty": (lambda exports: data_file(exports).write_bytes(b""), "1 data file"),
    "mart gone": (
        lambda exports: next((exports / "current" / "delivery_daily").iterdir()).resolve().unlink(),
        "1 data file",
    ),
    "database gone": (
        lambda exports: (exports.parent / "analytics.duckdb").unlink(),
        "analytics.duckdb",
    ),
    "database altered": (
        lambda exports: same_size(exports.parent / "analytics.duckdb"),
        "analytics.duckdb",
    ),
    "database old": (older("analytics.duckdb"), "analytics.duckdb"),
    "manifest gone": (lambda exports: (exports / "manifest.json").unlink(), "manifest.json"),
    "manifest altered": (lambda exports: same_size(exports / "manifest.json"), "manifest.json"),
    "manifest old": (older("exports/manifest.json"), "manifest.json"),
    "manifest no JSON": (
        lambda exports: (exports / "manifest.json").write_text("["),
        "manifest.json",
    ),
    "report gone": (lambda exports: (exports / "report.html").unlink(), "report.html"),
    "report altered": (lambda exports: same_size(exports / "report.html"), "report.html"),
    "report old": (older("exports/report.html"), "report.html"),
    "dictionary gone": (lambda exports: (exports / "dictionary.md").unlink(), "dictionary.md"),
    "dictionary altered": (
        lambda exports: (exports / "dictionary.html").write_text("…"),
        "dictionary.html",
    ),
    "current gone": (lambda exports: (exports / "current").unlink(), "current"),
    "current old": (link_to_the_tree_before, "current"),
    "current a folder": (current_as_a_folder, "current"),
    "a link gone": (one_link_less, "current"),
    "a link too many": (one_link_more, "current"),
    "trees gone": (lambda exports: shutil.rmtree(exports / ".current"), "current"),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_run_makes_again_what_is_missing_altered_or_old(mended: Settings, harm: str) -> None:
    do_harm, told = HARM[harm]
    exports = manifest_path(mended).parent
    with open_warehouse(mended) as con:
        assert is_current(con, mended)
        assert not can_publish(con, mended)
        do_harm(exports)
        assert not is_current(con, mended)
        assert can_publish(con, mended), "the sensor asks for a run"
        done = publish(con, mended)
        assert is_current(con, mended)
    assert (done.published, done.repaired) == (True, told)
    assert done.written == ("data" in told)
    assert everywhere(mended) == {3}
    assert figures_of(mended)["state"]["messages"] == 3


def test_the_command_says_what_it_made_again(published: Settings) -> None:
    exports = manifest_path(published).parent
    assert dlr(published.data, "run").stdout.startswith("Nothing new; readers have everything.")
    data_file(exports).unlink()
    (exports / "report.html").unlink()
    done = dlr(published.data, "run")
    assert done.returncode == 0, done.stderr
    assert "Restored what was missing or altered: report.html, 1 data file." in done.stdout
    assert "Nothing new" not in done.stdout
    assert dlr(published.data, "run").stdout.startswith("Nothing new; readers have everything.")


def test_lost_files_stay_in_their_readers_grace(published: Settings) -> None:
    """Without a readable manifest nobody knows which of the files somebody reads."""
    before = {one["path"] for one in manifest_of(published)["files"]}
    manifest_path(published).write_text("[")
    land_days(published, range(3), "c")
    run(published)
    now = manifest_of(published)
    retired = {one["path"] for one in now["retired"]}
    assert before - {one["path"] for one in now["files"]} <= retired
    assert everywhere(published) == {3}


def test_what_a_killed_run_left_goes_with_the_next_publication(published: Settings) -> None:
    exports = manifest_path(published).parent
    (exports / ".prepared").mkdir()
    (exports / ".prepared" / "report.html").touch()
    analytics_path(published).with_name(".analytics.duckdb.prepared").touch()
    (exports / "sms_status" / "event_date=2020-01-01").mkdir()
    (exports / "sms_status" / "event_date=2020-01-01" / "x-00000000.parquet").touch()
    land_days(published, range(3, 4), "c")
    run(published)
    assert everywhere(published) == {4}
    assert not (exports / "sms_status" / "event_date=2020-01-01").exists()


@pytest.fixture
def broken_report(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A defect of the report whose message tells a number; what is returned mends it."""

    def fail(figures: object) -> None:
        raise TypeError(f"unsupported: {MOBILE}")

    monkeypatch.setattr(page.cards, "cards", fail)
    return monkeypatch.undo


def test_a_report_that_cannot_be_rendered_never_blocks_the_numbers(
    settings: Settings, broken_report: Callable[[], None]
) -> None:
    land_days(settings, range(1))
    done = run(settings)
    assert done.published
    assert manifest_of(settings)["report"] is None
    broken_report()
    assert run(settings).published
    older = manifest_of(settings)["report"]
    assert older["problem"] is None


def test_the_report_before_stays_and_is_described_as_such(
    published: Settings, broken_report: Callable[[], None]
) -> None:
    before = manifest_of(published)["report"]
    assert before["problem"] is None
    land_days(published, range(3, 4), "c")
    done = run(published)
    told = "The report could not be rendered (TypeError at page.py, line "
    assert (done.report_problem or "").startswith(told)
    now = manifest_of(published)
    assert now["report"] == {**before, "problem": done.report_problem}
    assert (before["as_of_utc"], now["as_of_utc"]) == ("2026-03-04T08:00:02", "2026-03-05T08:00:02")
    assert everywhere(published) == {4}
    assert figures_of(published)["state"]["messages"] == 3
    assert MOBILE not in manifest_path(published).read_text()
    status = dlr(published.data, "status")
    assert status.returncode == 1
    assert f"{told[:-6]}" in status.stdout
    assert "as of 2026-03-04T08:00:02Z; the next run tries again" in status.stdout
    with open_warehouse(published) as con:
        assert not is_current(con, published), "a run tries again"
        assert not can_publish(con, published), "but not every minute"
        again = publish(con, published)
        assert (again.published, again.report_problem) == (False, done.report_problem)
        broken_report()
        assert publish(con, published).published
        assert is_current(con, published)
    assert manifest_of(published)["report"]["problem"] is None
    assert figures_of(published)["state"]["messages"] == 4
    assert dlr(published.data, "status").returncode == 0


def test_the_command_report_says_it_in_a_sentence(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import sys; from pipelines.publish.report import page; from cli.main import main; "
        "page.cards.cards = lambda figures: 1 / 0; sys.argv = ['dlr', 'report']; sys.exit(main())"
    )
    monkeypatch.setenv("DLR_DATA", str(published.data))
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=published.data,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("dlr: The report could not be rendered (ZeroDivisionError at ")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB, where this user may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("needs to be root, to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_leaves_readers_the_old_state_everywhere(
    small_disk: Path, tmp_path: Path
) -> None:
    """The exports are on the full disk; the warehouse is not, so that nothing else fails first."""
    settings = settings_of(tmp_path / "data")
    settings.data.mkdir()
    (settings.data / "exports").symlink_to(small_disk)
    land_days(settings, range(2))
    run(settings)
    assert everywhere(settings) == {2}
    before = sorted(small_disk.rglob("*"))
    land_days(settings, range(2, 3), "b")
    take(settings)
    for left_kb in (0, 64, 200, 3000):
        free = shutil.disk_usage(small_disk).free
        (small_disk / "filler").write_bytes(b"\0" * (free - left_kb * 1024))
        with open_warehouse(settings) as con, pytest.raises((OSError, duckdb.Error)):
            publish(con, settings)
        (small_disk / "filler").unlink()
        assert sorted(small_disk.rglob("*")) == before, f"something is left behind at {left_kb}"
        assert everywhere(settings) == {2}
    run(settings)
    assert everywhere(settings) == {3}


def test_files_that_must_not_grow_leave_readers_the_old_state(published: Settings) -> None:
    land_days(published, range(3, 4), "c")
    take(published)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_warehouse(published) as con:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        try:
            with pytest.raises((OSError, duckdb.Error)):
                publish(con, published)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert everywhere(published) == {3}
    run(published)
    assert everywhere(published) == {4}
