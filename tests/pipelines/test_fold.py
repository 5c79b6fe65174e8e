"""Runs older than 90 days are one row a day in the ledger, which says what they said."""

from datetime import UTC, datetime, timedelta

from contract.settings import Settings
from pipelines.load.fold import fold_old_runs
from pipelines.models.warehouse import open_warehouse
from pipelines.publish.publish import publish
from pipelines.verify import verify
from tests.data_folder import form, land, push, record, take, warehouse

TODAY = datetime.now(UTC).date()
LAW = "records = messages + duplicates + conflicts + rejected + erased"
AFTER = "fingerprint, total_records, total_messages, total_duplicates, total_conflicts, sequence"


def taken(settings: Settings, ages: tuple[int, ...]) -> None:
    """A run for each age in days; each receives something new, something known, a conflict."""
    for n in range(len(ages)):
        known = [record(1), record(1, uid=f"other {n}"), n]
        land(settings, [push(form([record(n + 10), *known]), n)], f"{n:03d}")
        take(settings, f"run-{n}")
    for n, age in enumerate(ages):
        days = f"interval {age} days"
        warehouse(
            settings,
            f"""
            update ops.ledger
            set started_at_utc = started_at_utc - {days}, updated_at_utc = updated_at_utc - {days}
            where run_id = 'run-{n}'
            """,
        )


def test_old_runs_are_folded_by_day_and_everything_still_adds_up(settings: Settings) -> None:
    taken(settings, (120, 120, 120, 100, 100, 89, 0))
    days = [(TODAY - timedelta(days=age)).isoformat() for age in (120, 100)]
    sums = "select sum(files), sum(pushes), sum(records), sum(messages), sum(conflicts)"
    before = warehouse(settings, f"{sums} from ops.ledger")
    after_runs = warehouse(settings, f"select {AFTER} from ops.ledger order by sequence")
    with open_warehouse(settings) as con:
        assert fold_old_runs(con, TODAY) == 2
        assert fold_old_runs(con, TODAY) == 0
        publish(con, settings)
    rows = warehouse(settings, f"select run_id, {AFTER} from ops.ledger order by sequence")
    assert [row[0] for row in rows] == [*days, "run-5", "run-6"]
    assert [row[1:] for row in rows] == [after_runs[place] for place in (2, 4, 5, 6)]
    assert warehouse(settings, f"{sums} from ops.ledger") == before
    assert warehouse(settings, f"select bool_and(balanced and {LAW}) from ops.ledger") == [(True,)]
    named = warehouse(settings, "select run_id, count(*) from ops.files group by all order by all")
    assert named == [(days[0], 3), (days[1], 2), ("run-5", 1), ("run-6", 1)]
    assert [str(finding) for finding in verify(settings).findings] == []
    warehouse(settings, f"update ops.ledger set messages = messages + 1 where run_id = '{days[1]}'")
    findings = "\n".join(map(str, verify(settings).findings))
    assert f"ops.ledger: run {days[1]}: total_messages is" in findings


def test_a_load_folds_and_the_newest_run_stays(settings: Settings) -> None:
    taken(settings, (300, 200, 200))
    with open_warehouse(settings) as con:
        fold_old_runs(con, TODAY)
    ids = [row[0] for row in warehouse(settings, "select run_id from ops.ledger order by sequence")]
    assert ids == [(TODAY - timedelta(days=300)).isoformat(), "run-1", "run-2"]
    land(settings, [push(form([record(99)]), 99)], "new")
    take(settings, "run-3")
    take(settings, "run-4")
    ids = [row[0] for row in warehouse(settings, "select run_id from ops.ledger order by sequence")]
    assert ids == [
        *((TODAY - timedelta(days=age)).isoformat() for age in (300, 200)),
        "run-3",
    ]


def test_days_out_of_order_stay_as_they_are(settings: Settings) -> None:
    """After a clock was set back and forth, a row of a day would not follow from the one before."""
    taken(settings, (120, 110, 120, 0))
    with open_warehouse(settings) as con:
        assert fold_old_runs(con, TODAY) == 1
    ids = [row[0] for row in warehouse(settings, "select run_id from ops.ledger order by sequence")]
    assert ids == ["run-0", (TODAY - timedelta(days=110)).isoformat(), "run-2", "run-3"]
