"""A data folder of format 1, made by commit 19e135e (tests/fixtures), meets today's version."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from cli.main import main
from contract.settings import Settings
from pipelines.folder.format import FORMAT
from pipelines.models.rows import fetch_rows
from pipelines.runs.status import read_status
from tests.command import dlr
from tests.data_folder import warehouse
from tests.pipelines.old_folder import dagster_of, unpack, unpack_and_run
from tests.pipelines.test_edited_models import rebuilt, rows

READERS = (("status",), ("verify",), ("sql", "select 1"), ("report",))
MOVED = {7, 14, 21, 125}
"""A failure, and two days or more later the success: it counts on the day it was delivered."""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return unpack(1, tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return unpack_and_run(1, tmp_path_factory.mktemp("upgraded"))


@pytest.mark.parametrize("words", READERS, ids=lambda words: words[0])
def test_who_only_looks_names_the_command_to_type(
    old: Settings, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("DLR_DATA", str(old.data))
    assert main(words) == 1
    assert capsys.readouterr().err == (
        f"dlr: {old.data} is of an earlier version (format 1, this one is {FORMAT}); `dlr run` "
        "brings it up to date.\n"
    )


@pytest.mark.parametrize(
    "words", [*READERS, ("run",), ("compact",), ("rebuild",)], ids=lambda w: w[0]
)
def test_a_folder_of_a_later_version_is_left_alone(
    tmp_path: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    settings = unpack(1, tmp_path)
    (settings.data / "format").write_text(f"{FORMAT + 1}\n")
    before = (settings.data / "warehouse.duckdb").read_bytes()
    monkeypatch.setenv("DLR_DATA", str(settings.data))
    assert main(words) == 1
    assert "is of a later version" in capsys.readouterr().err
    assert (settings.data / "warehouse.duckdb").read_bytes() == before


def messages(data: Path) -> dict[int, dict[str, Any]]:
    """Rows of core.sms_status by sid, whatever columns they have."""
    with duckdb.connect(data / "warehouse.duckdb", read_only=True) as con:
        return {row["sid"]: row for row in fetch_rows(con, "from core.sms_status")}


def test_every_message_is_as_it_was_but_for_what_the_rules_change(
    old: Settings, upgraded: Settings
) -> None:
    before, after = messages(old.data), messages(upgraded.data)
    assert before.keys() == after.keys()
    assert len(after) == 188
    changed: dict[int, set[str]] = {}
    for sid, row in after.items():
        differing = {name for name, value in row.items() if before[sid][name] != value}
        if differing:
            changed[sid] = differing
    assert {sid for sid, names in changed.items() if "event_time_utc" in names} == MOVED
    for sid in MOVED:
        assert changed[sid] == {"event_time_utc", "event_hour_utc"}
        assert after[sid]["event_time_utc"] == after[sid]["handset_time_utc"]
    assert changed.keys() == MOVED | {9001, 9006, 9007}
    # a blank that was pushed as one was no lost plus; a digit too few; a decimal fraction
    assert (before[9001]["mobile"], after[9001]["mobile"]) == ("+15205201314", " 15205201314")
    assert after[9001]["country_code"] == "CN"
    assert changed[9006] == {"range_operator"}
    assert after[9007]["mobile_e164"] is None


def test_it_is_what_a_rebuild_makes(upgraded: Settings, tmp_path: Path) -> None:
    assert rows(upgraded) == rebuilt(upgraded, tmp_path)
    assert warehouse(upgraded, "select bool_and(balanced) from ops.ledger") == [(True,)]


def test_nothing_is_left_to_do(upgraded: Settings) -> None:
    assert read_status(upgraded).problems == []
    assert read_status(upgraded).pending_files == 0
    done = dlr(upgraded.data, "run")
    assert done.stdout == "Nothing new; readers have everything.\n"


def test_dagsters_history_and_switches_are_kept(
    upgraded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dagster_of(upgraded, monkeypatch) as instance:
        assert len(instance.get_runs()) >= 3
        switches = {state.name: state.status.value for state in instance.all_instigator_state()}
    assert switches["hourly_refresh"] == "STOPPED"


def test_the_first_to_write_brings_it_up_to_date(tmp_path: Path) -> None:
    settings = unpack(1, tmp_path)
    done = dlr(settings.data, "compact")
    assert done.returncode == 0, done.stderr
    status = dlr(settings.data, "status")
    assert (status.returncode, status.stderr) == (1, "")
    assert "has changed since they were computed; `dlr run`" in " ".join(status.stdout.split())
