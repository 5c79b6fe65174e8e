"""The conservation law: whatever is lost or made up, one of its parts sees it, each by itself."""

import pytest

from contract.settings import Settings
from pipelines.publish.publish import UnbalancedError
from tests.data_folder import Kept, form, land, push, record, run, settings_of, take, warehouse

TAMPERINGS = {
    # what somebody, or a mistake in a model, does to the tables
    "a message is gone": "delete from core.sms_status where sid = 3",
    "a rejected record is gone": "delete from raw.rejected_records",
    "a duplicate is gone": "delete from core.repeated_reports where outcome = 'duplicate'",
    "a conflict is gone": "delete from core.repeated_reports where outcome = 'conflict'",
    "a rejected record stands there twice": """
        insert into raw.rejected_records from raw.rejected_records
    """,
    "a push lost a record, and there is a reject too many": """
        update raw.pushes set records = records + 1 where push_id like '00000001%';
        insert into raw.rejected_records from raw.rejected_records
    """,
    "a push lost what another gained": """
        update raw.pushes set records = records + 1 where push_id like '00000001%';
        update raw.pushes set records = records - 1 where push_id like '00000002%'
    """,
    "a message became a duplicate": """
        delete from core.sms_status where sid = 3;
        insert into core.repeated_reports by name
        select * replace ('duplicate' as outcome) from core.repeated_reports limit 1
    """,
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Two files, three pushes, a record of every outcome."""
    settings = settings_of(tmp_path_factory.mktemp("ledger") / "data")
    first = push(form([record(1), record(2), "no record"]), 1)
    second = push(form([record(1), record(2, uid="another"), record(3)]), 2)
    land(settings, [first, second], "a")
    land(settings, [push(form([record(4)]), 3)], "b")
    run(settings)
    return Kept(settings)


@pytest.fixture
def taken(kept: Kept) -> Settings:
    return kept.put_back()


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS)
def test_whatever_breaks_the_law_is_seen_by_the_next_run(taken: Settings, statement: str) -> None:
    warehouse(taken, statement)
    land(taken, [push(form([record(5)]), 5)], "c")
    with pytest.raises(UnbalancedError):
        run(taken)
    balanced = "select balanced from ops.ledger order by sequence"
    assert warehouse(taken, balanced) == [(True,), (False,)]


def test_one_broken_push_breaks_its_file(taken: Settings) -> None:
    warehouse(taken, "update raw.pushes set records = records + 1 where push_id like '00000001%'")
    land(taken, [push(form([record(1)]), 5)], "c")
    take(taken)
    found = warehouse(taken, "select file[-7:], balanced from ops.ledger_by_file order by file")
    assert found == [("a.jsonl", False), ("b.jsonl", True), ("c.jsonl", True)]


def test_slices_of_a_run_add_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.load.batch._MOST_BYTES", 1)
    for n in range(3):
        uid = "a" if n else "b"
        land(settings, [push(form([record(1, uid=uid), record(n + 2), n]), n)], f"{n}")
    take(settings)
    figures = "files, pushes, records, messages, duplicates, conflicts, rejected, balanced"
    assert warehouse(settings, f"select {figures} from ops.ledger") == [(3, 3, 9, 4, 1, 1, 3, True)]
