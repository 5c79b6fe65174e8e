"""What landed is taken again by other rules: exactly, with a report of what moved."""

import csv
import os
import shutil
import signal
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.rebuild import moved, summary
from contract.settings import Settings
from pipelines.folder.lock import WarehouseError
from pipelines.folder.show import manifest_path
from pipelines.load.changes import Change
from pipelines.runs.rebuild import rebuild, rebuild_from
from pipelines.runs.status import read_status
from pipelines.verify import verify
from tests.command import dlr
from tests.data_folder import (
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
from tests.edited_warehouse import EditedWarehouse, edited, forget
from tests.pipelines.test_crash import PROCESSES

__all__ = ["edited"]

DAYS = [date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)]
TABLES = (
    "raw.pushes", "raw.rejected_records", "core.sms_status",
    "core.conflicting_reports", "core.repeated_reports", "core.carrier_errors",
    "marts.delivery_hourly", "marts.failures_daily", "marts.latency_hourly", "ops.ledger_by_file",
)  # fmt: skip


def land(settings: Settings, day: date, *batches: list[Any]) -> Path:
    """One file of a landing day, one push a batch."""
    start = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    path = settings.landing / "yunpian" / str(day) / f"{start:%Y%m%dT%H%M%S}.000000Z-a.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"".join(
            push(
                form(batch),
                push_id=f"{day}-{n}",
                received_at=start + timedelta(seconds=n),
            ).to_line()
            for n, batch in enumerate(batches)
        )
    )
    return path


def fail(sid: int, code: str = "MK:0001", **fields: object) -> dict[str, object]:
    return record(sid, report_status="FAIL", error_msg=code, mobile="13900000000", **fields)


def land_all(settings: Settings) -> None:
    """Three days; message 1 is reported on each, 4 on the last two, the others once."""
    land(settings, DAYS[0], [fail(1), fail(2), record(3)], [{"sid": "1.5"}, 17])
    land(settings, DAYS[1], [fail(1, uid="z"), fail(4)], [fail(5, "EXPIRED"), record(6)])
    land(settings, DAYS[2], [fail(4), fail(7, user_receive_time="2026-03-04 15:00:00")])
    land(settings, DAYS[2], [fail(4), fail(7), record(1, uid="late")], [fail(8)])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    settings = settings_of(tmp_path_factory.mktemp("rebuild") / "data")
    land_all(settings)
    run(settings)
    return Kept(settings)


@pytest.fixture
def taken(kept: Kept) -> Settings:
    return kept.put_back()


@pytest.fixture
def remap(edited: EditedWarehouse) -> Callable[[str, str], None]:
    """Change the category of a China Mobile code in a copy of the reference data."""
    path = edited.folder / "reference" / "carrier_errors.csv"

    def change(code: str, category: str) -> None:
        rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
        found = [row for row in rows if (row["operator"], row["code"]) == ("china_mobile", code)]
        assert found
        for row in found:
            row["category"] = category
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        forget()

    return change


def tables(settings: Settings) -> dict[str, object]:
    return {name: warehouse(settings, f"from {name} order by all") for name in TABLES}


def rebuilt_whole(settings: Settings, tmp_path: Path) -> dict[str, object]:
    """What a full rebuild of the same landed files gives."""
    other = settings.model_copy(update={"data": tmp_path / "whole"})
    other.__dict__.pop("landing", None)
    shutil.copytree(settings.landing, other.landing)
    rebuild(other, "whole")
    return tables(other)


def test_from_the_first_day_on_a_new_mapping_gives_what_a_full_rebuild_gives(
    taken: Settings, remap: Callable[[str, str], None], tmp_path: Path
) -> None:
    before = tables(taken)
    remap("MK:0001", "suspended")
    done = rebuild_from(taken, "again", DAYS[0])
    assert done.changes == [Change("category", "invalid_number", "suspended", 4)]
    assert tables(taken) == rebuilt_whole(taken, tmp_path) != before
    assert read_status(taken).problems == []
    assert str(verify(taken).findings) == "[]"
    kept = "select what, before, after, rows from ops.rebuild_changes where run_id = 'again'"
    assert warehouse(taken, kept) == [tuple(change) for change in done.changes]


def test_another_zone_moves_times_and_nothing_else(taken: Settings, tmp_path: Path) -> None:
    moved_zone = settings_of(taken.data, provider_timezone="UTC")
    done = rebuild_from(moved_zone, "again", DAYS[0])
    # 8 was received before its handset time in UTC is plausible no more than the others
    assert done.changes == [Change("event_time", None, None, 8)]
    assert tables(moved_zone) == rebuilt_whole(moved_zone, tmp_path)
    assert str(verify(moved_zone).findings) == "[]"


def test_a_full_rebuild_reports_what_moved(
    taken: Settings, remap: Callable[[str, str], None]
) -> None:
    remap("MK:0001", "suspended")
    land(taken, date(2026, 3, 5), [record(9)])
    (taken.landing / "yunpian" / str(DAYS[0]) / "20260302T080000.000000Z-a.jsonl").unlink()
    done = rebuild(taken, "whole")
    assert done.changes == [
        Change("category", "invalid_number", "suspended", 3),
        Change("gone", "delivered", None, 1),
        Change("gone", "invalid_number", None, 1),
        Change("reject", "bad_sid", None, 1),
        Change("reject", "not_an_object", None, 1),
    ]
    assert "the reference data was changed" in summary(done)
    assert moved(done.changes)[:2] == [
        "what      before          after      rows",
        "category  invalid_number  suspended     3",
    ]
    again = rebuild(taken, "same").changes
    assert again == []
    assert moved(again) == [
        "No message moved to another category, country, operator, time or outcome."
    ]
    runs = "select distinct run_id from ops.rebuild_changes"
    assert warehouse(taken, runs) == [("whole",)]


@pytest.mark.parametrize("whole", [True, False], ids=["rebuild", "rebuild --from"])
def test_rejected_records_are_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, *, whole: bool
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr("pipelines.decode.slow_path._is_sid", lambda value: value == "1")
        # a nested text: such a push is read by Python, whose rule is another here
        land(settings, DAYS[0], [record(1, uid={"a": 1.5}), record(2), fail(3), "no object"])
        run(settings)
    assert warehouse(settings, "select rejected from raw.pushes") == [(3,)]
    done = rebuild(settings, "again") if whole else rebuild_from(settings, "again", DAYS[0])
    assert done.changes == [
        Change("new", None, "delivered", 1),
        Change("new", None, "invalid_number", 1),
        Change("reject", "bad_sid", None, 2),
    ]
    assert warehouse(settings, "select accepted, rejected from raw.pushes") == [(3, 1)]
    assert str(verify(settings).findings) == "[]"


@pytest.mark.parametrize("whole", [True, False], ids=["rebuild", "rebuild --from"])
def test_what_landed_meanwhile_is_news_and_no_change(
    taken: Settings, remap: Callable[[str, str], None], *, whole: bool
) -> None:
    """New rejects, new messages, and known ones a new report wins; not those it merely repeats."""
    remap("MK:0001", "suspended")
    late = [record(9), "no object", {"sid": "x"}, record(2), fail(4), fail(7, "EXPIRED")]
    land(taken, date(2026, 3, 5), late)
    done = rebuild(taken, "again") if whole else rebuild_from(taken, "again", DAYS[0])
    # 4, 7 and 8; in place 2 moved, too, before a new report said that it was delivered
    assert done.changes == [Change("category", "invalid_number", "suspended", 3 if whole else 4)]
    assert done.loaded.pushes == 7
    again = rebuild(taken, "same") if whole else rebuild_from(taken, "same", DAYS[0])
    assert again.changes == []


def test_from_a_day_on_which_nothing_landed_nothing_is_taken_again(
    taken: Settings,
) -> None:
    before = tables(taken), warehouse(taken, "from ops.ledger"), manifest_path(taken).stat()
    done = dlr(taken.data, "rebuild", "--from", "2026-03-05")
    said = "No file landed on 2026-03-05 (UTC) or later; nothing was re-ingested.\n"
    assert (done.returncode, done.stdout) == (0, said)
    after = tables(taken), warehouse(taken, "from ops.ledger"), manifest_path(taken).stat()
    assert after == before


def test_what_was_taken_and_is_gone_is_not_thrown_away(taken: Settings) -> None:
    before = tables(taken)
    (taken.landing / "yunpian" / str(DAYS[1]) / "20260303T080000.000000Z-a.jsonl").unlink()
    with pytest.raises(WarehouseError, match=r"1 landed file\(s\) that were loaded are gone"):
        rebuild_from(taken, "again", DAYS[1])
    assert tables(taken) == before
    assert rebuild_from(taken, "again", DAYS[2]).changes == []


def rebuild_and_die(data: Path, day: date) -> None:
    """In a process of its own: killed in the second batch, by rules of another zone."""
    from pipelines.load import apply, batch

    batch._MOST_BYTES = 1
    left = [2]
    real = apply.store_raw

    def die(con: Any) -> None:
        real(con)
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    apply.store_raw = die
    rebuild_from(settings_of(data, provider_timezone="UTC"), "dies", day)


def test_killed_amid_it_is_exact_when_repeated(taken: Settings, tmp_path: Path) -> None:
    child = PROCESSES.Process(target=rebuild_and_die, args=(taken.data, DAYS[0]))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    moved_zone = settings_of(taken.data, provider_timezone="UTC")
    take(moved_zone)
    assert warehouse(taken, "select bool_and(balanced) from ops.ledger") == [(True,)]
    rebuild_from(moved_zone, "again", DAYS[0])
    assert tables(moved_zone) == rebuilt_whole(moved_zone, tmp_path)


def test_the_version_is_no_part_of_the_fingerprint(taken: Settings, tmp_path: Path) -> None:
    before, right = tables(taken), fingerprint(taken)
    other = settings_of(taken.data, default_region="FR")
    rebuild_from(other, "again", DAYS[0])
    assert fingerprint(other) != right  # numbers without a country are French now
    rebuild_from(taken, "back", DAYS[0])
    assert (tables(taken), fingerprint(taken)) == (before, right)
