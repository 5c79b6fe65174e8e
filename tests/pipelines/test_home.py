"""Where Dagster's instance lies, and that its `dagster.yaml` belongs to the user."""

import sys
from pathlib import Path

import dagster as dg
import pytest

from contract.settings import SettingsError
from pipelines.runs.home import InstanceError, missing_in, prepare_instance
from tests.command import ROOT
from tests.data_folder import settings_of

OURS = (ROOT / "dagster.yaml").read_text()
LAST_YEAR = """\
# What a user made of it.
event_log_storage:
  module: pipelines.defs.event_log
  class: EventLog
  config:
    base_dir: "/somewhere/history/runs"
"""


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `prepare_instance` sets is taken back after the test."""
    monkeypatch.chdir(tmp_path)
    for name in ("DAGSTER_HOME", "DLR_DATA", "DAGSTER_DISABLE_TELEMETRY", "DLR_DAGSTER_STORAGE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_an_edited_dagster_yaml_is_kept(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data")
    file = prepare_instance(settings) / "dagster.yaml"
    assert list(missing_in(file.parent)) == []
    edited = file.read_text().replace("purge_after_days: 30", "purge_after_days: 3")
    file.write_text(edited)
    assert prepare_instance(settings) == file.parent
    assert file.read_text() == edited
    assert list(missing_in(file.parent)) == []


def test_one_that_an_earlier_version_wrote_is_brought_up_to_date(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data")
    home = settings.data / "dagster"
    home.mkdir(parents=True)
    written = (ROOT / "tests" / "fixtures" / "dagster-2026-11.yaml").read_text()
    (home / "dagster.yaml").write_text(written.replace("$DAGSTER_HOME", "/moved/data/dagster"))
    prepare_instance(settings)
    new = prepare_instance(settings_of(tmp_path / "new")) / "dagster.yaml"
    assert (home / "dagster.yaml").read_text() == new.read_text().replace("/new/", "/data/")


def test_whoever_opens_it_by_its_folder_finds_the_history_of_that_folder(
    tmp_path: Path,
) -> None:
    home = prepare_instance(settings_of(tmp_path / "data"))
    elsewhere = prepare_instance(settings_of(tmp_path / "other"))  # what the settings name now
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_runs_count() == 0
    assert (home / "history" / "runs.db").exists()
    assert [path.name for path in elsewhere.iterdir()] == ["dagster.yaml"]


@pytest.mark.parametrize("edited", [False, True])
def test_the_history_of_a_moved_folder_moves_with_it(tmp_path: Path, *, edited: bool) -> None:
    file = prepare_instance(settings_of(tmp_path / 'a "quoted" folder')) / "dagster.yaml"
    if edited:
        file.write_text(file.read_text().replace("purge_after_days: 30", "purge_after_days: 3"))
    before = file.read_text()
    (tmp_path / 'a "quoted" folder').rename(tmp_path / "moved")
    moved = prepare_instance(settings_of(tmp_path / "moved"))
    text = (moved / "dagster.yaml").read_text()
    assert text == before.replace(r"a \"quoted\" folder", "moved")
    with dg.DagsterInstance.from_config(str(moved)):
        pass
    assert (moved / "history" / "runs.db").exists()


def test_what_an_edited_one_lacks_is_said(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data")
    home = settings.data / "dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text(LAST_YEAR)
    prepare_instance(settings)
    history, runs = missing_in(home)
    assert "lacks the section `storage`" in history
    assert "max_concurrent_runs: 1`" in runs
    elsewhere = settings_of(tmp_path / "data", dagster_storage="postgresql://u:hidden@h/d")
    with pytest.raises(InstanceError, match="DLR_DAGSTER_STORAGE") as refused:
        prepare_instance(elsewhere)
    assert "hidden" not in str(refused.value)


def test_dagster_home_may_be_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "dagster.yaml").write_text(OURS)
    monkeypatch.setenv("DAGSTER_HOME", str(checkout))
    monkeypatch.setenv("DLR_DATA", str(tmp_path / "data"))
    with dg.DagsterInstance.get() as instance:

        @dg.asset
        def something() -> None:
            pass

        assert dg.materialize([something], instance=instance).success
        assert instance.get_runs_count() == 1
        instance.all_instigator_state()
    assert [path.name for path in checkout.iterdir()] == ["dagster.yaml"]
    assert (tmp_path / "data" / "dagster" / "history" / "runs.db").exists()


def test_the_library_for_postgresql_may_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dagster_postgres", None)
    settings = settings_of(tmp_path / "data", dagster_storage="postgresql://u:hidden@h/d")
    with pytest.raises(InstanceError, match=r"pip install 'dlr\[postgres\]'"):
        prepare_instance(settings)


def test_storage_that_is_no_postgresql_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="DLR_DAGSTER_STORAGE must be postgresql://") as refused:
        settings_of(tmp_path / "data", dagster_storage="mysql://u:hidden@h/d")
    assert "hidden" not in str(refused.value)
