"""How a table is written is remembered file by file: what changed is written again, alone."""

from collections.abc import Iterator
from datetime import timedelta

import duckdb
import pytest

from contract.settings import Settings
from pipelines import models
from pipelines.folder.show import analytics_path, manifest_path
from pipelines.models.warehouse import open_warehouse
from pipelines.publish.publish import can_publish, is_current, publish
from tests.agreement import everywhere, manifest_of
from tests.data_folder import FIRST, Kept, ask, form, land, push, record, run, settings_of
from tests.edited_warehouse import EditedWarehouse, edited

__all__ = ["edited"]

MART = "marts.delivery_daily"


def paths(settings: Settings) -> dict[str, set[str]]:
    """Data files by table."""
    found: dict[str, set[str]] = {}
    for one in manifest_of(settings)["files"]:
        found.setdefault(one["table"], set()).add(one["path"])
    return found


def changed_tables(before: dict[str, set[str]], after: dict[str, set[str]]) -> set[str]:
    return {name for name in before | after if before.get(name) != after.get(name)}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """One message, published."""
    settings = settings_of(tmp_path_factory.mktemp("forms") / "data")
    land(settings, [push(form([record(1)]))])
    run(settings)
    return Kept(settings)


@pytest.fixture
def published(kept: Kept) -> Settings:
    return kept.put_back()


@pytest.fixture
def model() -> Iterator[models.Model]:
    """A model that may be changed as its file may; it is as before afterwards."""
    one = models.load_models()[MART]
    before = {name: getattr(one, name) for name in one.__dataclass_fields__}
    yield one
    for name, value in before.items():
        object.__setattr__(one, name, value)


def test_a_mask_that_changed_writes_its_table_alone(
    published: Settings, model: models.Model
) -> None:
    before = paths(published)
    object.__setattr__(model, "free_text", ("tag",) if "tag" not in model.free_text else ())
    with open_warehouse(published) as con:
        assert not is_current(con, published)
        assert can_publish(con, published)
        assert publish(con, published).written == 1
        assert is_current(con, published)
    assert changed_tables(before, paths(published)) == {MART}
    assert everywhere(published, MART) == {1}


def test_another_layout_leaves_no_file_of_the_one_before(
    published: Settings, model: models.Model
) -> None:
    object.__setattr__(model, "export", models.Export("day", ("day_utc",)))
    run(published)
    [path] = paths(published)[MART]
    assert path.startswith("delivery_daily/2026-03-02-")
    assert everywhere(published, MART) == {1}


def test_other_words_write_no_data(published: Settings, model: models.Model) -> None:
    before = paths(published)
    object.__setattr__(model, "description", "Said in another way.")
    done = run(published)
    assert (done.published, done.written, done.repaired) == (True, 0, "")
    assert paths(published) == before
    comment = "select comment from duckdb_views() where view_name = 'delivery_daily'"
    assert ask(published, comment) == [("Said in another way.",)]
    text = (manifest_path(published).parent / "dictionary.md").read_text(encoding="utf-8")
    assert "Said in another way." in text
    assert not run(published).published


def test_words_on_the_masks_write_no_data_and_another_mask_does(
    published: Settings, edited: EditedWarehouse
) -> None:
    before = paths(published)
    masks = "functions/privacy.sql"
    edited.replace(masks, "-- country and the last four", "-- the country, and the last four")
    assert run(published).written == 0
    assert paths(published) == before
    edited.replace(
        masks,
        "|| '****' || right(mobile, 4)\n        when",
        "|| '***' || right(mobile, 4)\n        when",
    )
    run(published)
    assert {"core.sms_status", "core.sends"} >= changed_tables(before, paths(published)) > set()
    assert ask(published, "select distinct mobile from core.sms_status") == [("CN***1314",)]


def test_a_table_whose_file_is_gone_vanishes_and_comes_back_whole(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = paths(published)
    fewer = {name: one for name, one in models.load_models().items() if name != MART}
    monkeypatch.setattr(models, "load_models", lambda: fewer)
    done = run(published)
    assert (done.published, done.written) == (True, 0)
    assert changed_tables(before, paths(published)) == {MART}
    assert not (manifest_path(published).parent / "current" / "delivery_daily").exists()
    with duckdb.connect(analytics_path(published), read_only=True) as con:
        views = con.execute("select view_name from duckdb_views() where not internal").fetchall()
    assert ("delivery_daily",) not in views
    assert not run(published).published
    monkeypatch.undo()
    assert run(published).written == 1
    assert everywhere(published, MART) == {1}
    assert changed_tables(before, paths(published)) == {MART}


def test_another_key_for_hashed_mobiles_writes_everything_again(published: Settings) -> None:
    keys = ("the key of last year", "the key of this year")
    seen = set()
    for key in keys:
        settings = settings_of(published.data, export_mobile="hashed", export_mobile_key=key)
        done = run(settings)
        assert done.written == len(manifest_of(settings)["files"])
        seen |= set(ask(settings, "select mobile from core.sms_status"))
        assert not run(settings).published
    assert len(seen) == 2


def test_a_part_whose_rows_all_went_vanishes_everywhere(settings: Settings) -> None:
    """A message that moves to another day leaves no file without rows behind."""
    for day, status in ((0, "FAIL"), (1, "SUCCESS")):
        at = FIRST + timedelta(days=day)
        local = f"{at + timedelta(hours=8):%Y-%m-%d %H:%M:%S}"
        one = record(1, user_receive_time=local, report_status=status, error_msg="X:1")
        land(settings, [push(form([one]), day, received_at=at + timedelta(seconds=2))], f"{day}")
        run(settings)
    files = manifest_of(settings)["files"]
    by_day = [one for one in files if "/all-" not in one["path"]]
    assert {one["table"] for one in by_day} >= {"core.sms_status", "marts.delivery_hourly"}
    assert [one["path"] for one in by_day if not one["rows"]] == []
    old_day = [one["table"] for one in by_day if "2026-03-02" in one["path"]]
    assert not set(old_day) & {"core.sms_status", "marts.delivery_hourly", "marts.latency_hourly"}
    for table in ("core.sms_status", "marts.delivery_hourly"):
        assert everywhere(settings, table) == {1}
    assert ask(settings, "select count(*) from marts.failures_daily") == [(0,)]
