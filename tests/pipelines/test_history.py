"""The result is a function of the set of pushes, and of nothing that happened on the way.

Pushes of every encoding, damaged and contradicting each other, land by several receivers' hands,
in any order, some twice; runs come between, crash at any step and start again; days are compacted,
rebuilt, taken again, by another time zone. Whatever came to pass, the tables hold what the plain
reference computes. ``DLR_TEST_HISTORIES=400`` looks at so many histories, longer ones.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from contract.envelope import Envelope
from contract.settings import Settings
from pipelines.landing.compaction import compact
from pipelines.load.load import load
from pipelines.models.warehouse import open_warehouse
from pipelines.runs.rebuild import rebuild, rebuild_from
from pipelines.verify import verify
from tests.data_folder import FIRST, form, push, settings_of, warehouse
from tests.pipelines.test_core import reports
from tests.truth.reference import Batch, conflicting_reports, sms_status
from tests.truth.reference import pushes as expected_pushes

HISTORIES = int(os.environ.get("DLR_TEST_HISTORIES", "6"))
LONG = HISTORIES > 100
ZONES = ("Asia/Shanghai", "UTC", "America/New_York")
RECEIVERS = ("a1b2c3", "d4e5f6", "by-hand")
DAYS = [FIRST.date() + timedelta(days=n) for n in range(3)]
STEPS = [
    # where a run, a rebuild or a compaction may be cut off
    "pipelines.load.apply.read_lines",
    "pipelines.load.apply.store_raw",
    "pipelines.load.settle._attribute_repetitions",
    "pipelines.load.apply.register",
    "pipelines.load.ledger.record",
    "pipelines.models.refresh",
    "pipelines.landing.compaction.write_member",
    "pipelines.landing.compaction._contents",
    "pipelines.landing.compaction.register_compaction",
    "pipelines.landing.compaction._delete",
]
BAD = {
    "not_an_object": [17, "x", None, []],
    "bad_sid": [{"sid": "1.5"}, {"report_status": "FAIL"}, {"sid": True}],
    "bad_report_status": [{"sid": 1, "report_status": "DELIVERED"}, {"sid": 2}],
}
BROKEN = {"not_json": "<html>502</html>", "not_an_array": '{"sid": 1}'}
DEPTHS = ("once", "once", "twice", "thrice")
"""How often a value is said to be decoded that was encoded 0, 1, 2, 3 times."""


@dataclass(frozen=True)
class Pushed:
    """A push as it lands, and what must come of it."""

    envelope: Envelope
    batch: Batch


@st.composite
def pushed(draw: st.DrawFn, n: int) -> Pushed:
    """The n-th push of a test: a sound batch, a damaged one, or no batch at all."""
    at = FIRST + timedelta(seconds=draw(st.integers(0, 3 * 86_400 - 1)))
    kind = draw(st.sampled_from(["sound"] * 6 + ["cut", *BROKEN]))
    times = draw(st.integers(0, 3))
    elements: list[Any] = []
    records: list[tuple[int, dict[str, Any]]] = []
    rejects: list[tuple[int | None, str]] = []
    decoding = DEPTHS[times]
    if kind in BROKEN:
        text, decoding, rejects = BROKEN[kind], "failed", [(None, kind)]
    else:
        for position in range(draw(st.integers(kind == "cut", 3))):
            reason = draw(st.sampled_from([None] * 8 + list(BAD)))
            if reason is None:
                elements.append(draw(reports))
                records.append((position, elements[-1]))
            else:
                elements.append(draw(st.sampled_from(BAD[reason])))
                rejects.append((position, reason))
        text = json.dumps(elements, ensure_ascii=False)
    if kind == "cut":
        broken = json.dumps(draw(reports), ensure_ascii=False)[: -draw(st.integers(1, 40))]
        text = f"{text[:-1]}, {broken}"
        rejects.append((len(elements), "damaged_json"))
        decoding = "salvaged"
    envelope = push(form(text, times), n, received_at=at)
    return Pushed(envelope, Batch(at, envelope.push_id, decoding, records, rejects))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Pushed], list[tuple[Any, ...]]]:
    """Pushes, and operations in which each of them lands at least once."""
    pushes = [draw(pushed(n)) for n in range(draw(st.integers(1, 7)))]
    order = draw(st.permutations(range(len(pushes))))
    landing = [("land", which, draw(st.sampled_from(RECEIVERS))) for which in order]
    crash = st.tuples(st.just("crash"), st.sampled_from(STEPS), st.integers(1, 4))
    others = st.one_of(
        st.just(("run",)),
        crash,
        st.tuples(st.just("copy"), st.integers(0, 20), st.sampled_from(RECEIVERS)),
        st.just(("rebuild",)),
        st.tuples(st.just("from"), st.sampled_from(DAYS)),
        st.tuples(st.just("compact"), st.sampled_from(DAYS)),
        st.tuples(st.just("zone"), st.sampled_from(ZONES)),
    )
    happened = draw(st.lists(others, max_size=12 if LONG else 5))
    places = draw(st.lists(st.integers(0, len(landing)), min_size=len(happened),
                           max_size=len(happened)))  # fmt: skip
    for place, operation in sorted(zip(places, happened, strict=True), key=lambda pair: -pair[0]):
        landing.insert(place, operation)
    return pushes, landing


class Crash(BaseException):
    """The process is gone."""


@contextmanager
def crashing(step: str, calls: int) -> Iterator[None]:
    """Cut off whatever is done at a call of a step, if it comes to that."""
    module_name, _, name = step.rpartition(".")
    real = getattr(import_module(module_name), name)
    left = [calls]

    def crash(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            raise Crash
        return real(*args, **kwargs)

    with patch(step, crash), suppress(Crash):
        yield


class Folder:
    """A data folder in which a history takes place."""

    def __init__(self, data: Path, pushes: list[Pushed]) -> None:
        self.settings: Settings = settings_of(data)
        self.pushes = pushes
        self.count = 0

    def go(self, operations: list[tuple[Any, ...]]) -> None:
        for name, *arguments in operations:
            getattr(self, f"do_{name}")(*arguments)

    def do_land(self, which: int, receiver: str) -> None:
        """A receiver closes a file; now and then there is a second push in it."""
        several = [self.pushes[which], *self.pushes[: which % 3 == 0]]
        self._write("".join(one.envelope.to_line().decode() for one in several),
                    several[0].envelope.received_at.date(), receiver)  # fmt: skip

    def do_copy(self, number: int, receiver: str) -> None:
        """Somebody restores a backup of a file under another name."""
        files = sorted(self.settings.landing.rglob("*.jsonl"))
        if files:
            chosen = files[number % len(files)]
            day = date.fromisoformat(chosen.parent.name)
            self._write(chosen.read_text(), day, receiver)

    def _write(self, text: str, day: date, receiver: str) -> None:
        self.count += 1
        folder = self.settings.landing / "yunpian" / str(day)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{day:%Y%m%d}T080000.{self.count:06}Z-{receiver}.jsonl"
        (folder / name).write_text(text)

    def do_run(self) -> None:
        with open_warehouse(self.settings) as con:
            load(con, self.settings, f"run-{self.count}-{os.urandom(4).hex()}")

    def do_crash(self, step: str, calls: int) -> None:
        with crashing(step, calls):
            if "compact" in step:
                compact(self.settings, DAYS[-1] + timedelta(days=1))
            else:
                self.do_run()
        for hidden in self.settings.landing.rglob(".*.part"):
            assert hidden.name.startswith(".")
        self.do_run()

    def do_rebuild(self) -> None:
        rebuild(self.settings, f"rebuild-{os.urandom(4).hex()}")

    def do_from(self, day: date) -> None:
        rebuild_from(self.settings, f"from-{os.urandom(4).hex()}", day)

    def do_compact(self, day: date) -> None:
        self.do_run()
        compact(self.settings, day + timedelta(days=1))

    def do_zone(self, zone: str) -> None:
        self.settings = settings_of(self.settings.data, provider_timezone=zone)
        self.do_rebuild()


def check(settings: Settings, batches: list[Batch]) -> None:
    """The tables hold what the reference computes."""
    zone = settings.provider_timezone
    found = [report for batch in batches for report in batch.reports]
    expected = sms_status(found, zone)
    columns = list(next(iter(expected.values()), {}))
    rows = warehouse(settings, f"select {', '.join(['sid', *columns])} from core.sms_status")
    assert {row[0]: dict(zip(columns, row[1:], strict=True)) for row in rows} == expected
    assert len(rows) == len(expected)
    versions: dict[int, list[tuple[Any, ...]]] = {}
    for sid, *version, wins in warehouse(
        settings,
        "select sid, uid, mobile, report_status, handset_time_raw, error_code, error_detail, "
        "copies, is_winner from core.conflicting_reports order by sid, version",
    ):
        assert wins == (sid not in versions)
        versions.setdefault(sid, []).append(tuple(version))
    assert versions == conflicting_reports(found, zone)
    rejects = "select push_id, position, reason from raw.rejected_records order by all"
    assert set(warehouse(settings, rejects)) == {
        (batch.push_id, *reject) for batch in batches for reject in batch.rejects
    }
    figures = "decoding, records, accepted, duplicates, conflicts, rejected"
    by_push = warehouse(settings, f"select push_id, {figures} from raw.pushes")
    assert {push_id: tuple(row) for push_id, *row in by_push} == expected_pushes(batches)
    assert len(by_push) == len(batches)
    sums = [sum(row[n] for row in by_push) for n in range(2, 7)]
    names = ("records", "messages", "duplicates", "conflicts", "rejected")
    totals = ", ".join(f"total_{name}" for name in names)
    last = f"select {totals}, balanced from ops.ledger order by sequence desc limit 1"
    assert warehouse(settings, last) == [(*sums, True)]
    by_file = ", ".join(f"sum({name})::bigint" for name in names)
    law = f"select {by_file}, bool_and(balanced) from ops.ledger_by_file"
    assert warehouse(settings, law) == [(*sums, True)]


@hypothesis_settings(
    max_examples=HISTORIES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # to shrink a history takes as long as to look at many more: only where there is time
    phases=tuple(Phase) if LONG else [Phase.explicit, Phase.reuse, Phase.generate],
)
@given(histories())
def test_whatever_came_to_pass_the_tables_hold_what_the_reference_computes(
    tmp_path_factory: Any, history: tuple[list[Pushed], list[tuple[Any, ...]]]
) -> None:
    pushes, operations = history
    folder = Folder(tmp_path_factory.mktemp("history"), pushes)
    folder.go(operations)
    folder.do_run()
    check(folder.settings, [one.batch for one in pushes])
    assert str(verify(folder.settings).findings) == "[]"
    shutil.rmtree(folder.settings.data)
