"""An honest data folder with something in every table, small enough to be verified in seconds."""

import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

from contract.envelope import Envelope
from contract.settings import Settings
from pipelines.folder.show import analytics_path
from pipelines.landing.compaction import compact
from pipelines.models.warehouse import open_warehouse
from pipelines.publish.publish import publish
from pipelines.runs.rebuild import rebuild
from pipelines.sends.files import bring_in
from tests.data_folder import FIRST, form, push, record, run, settings_of
from tests.simulated import Traffic, as_people_keep_it, bring_in_sends, simulated
from tests.truth.coverage import OFTEN_MADE_UP

OLD_DATABASE = "old.analytics.duckdb"
"""Beside the data folder: the published database of an earlier state, whose files are there."""
_BAD_SENDS = "sid,uid,sent_at\nnone,,2026-03-02T10:00:00Z\n9001,,soon\n"


def make_folder(root: Path) -> Settings:
    """Make ``root/data``: reports, conflicts, rejects, sends, a compacted day, a rebuild, a run."""
    settings = settings_of(root / "data")
    traffic = _traffic(root / "traffic")
    days = [list(group) for _, group in groupby(_in_order(traffic), _landing_day)]
    first, rest = days[0], [envelope for group in days[1:] for envelope in group]
    for n in range(0, len(first), 5):
        _land(settings, first[n : n + 5], f"first-{n:03d}")
    # a rebuild by another rule, so that there is something to report of it
    run(settings_of(root / "data", default_region="US"))
    bring_in_sends(settings, as_people_keep_it(traffic.sends, seed=5), root / "log")
    _bring_in_bad_sends(settings, root)
    compact(settings, _landing_day(first[0]) + timedelta(days=1))
    rebuild(settings, "rebuilt")
    _keep(settings, root)
    for number, group in enumerate([*_chunks(rest, 40), _causes()]):
        _land(settings, group, f"later-{number}")
    run(settings)
    return settings


def _traffic(folder: Path) -> Traffic:
    return simulated(
        folder, messages=500, days=2.5, bad=0.03, damaged=0.1, conflicts=0.05, unreported=0.1,
        duplicates=0.1, batch_size=10, seed=4, start=FIRST - timedelta(days=4),
    )  # fmt: skip


def _in_order(traffic: Traffic) -> list[Envelope]:
    return sorted(traffic.envelopes, key=lambda envelope: envelope.received_at)


def _landing_day(envelope: Envelope) -> date:
    return envelope.received_at.date()


def _chunks(envelopes: Sequence[Envelope], size: int) -> list[Sequence[Envelope]]:
    return [envelopes[n : n + size] for n in range(0, len(envelopes), size)]


def _land(settings: Settings, envelopes: Sequence[Envelope], name: str) -> None:
    """Put pushes into one file of the day the first of them was received on."""
    at = envelopes[0].received_at
    stem = f"{at:%Y%m%dT%H%M%S.%f}Z-{name}.jsonl"
    path = settings.landing / "yunpian" / f"{at:%Y-%m-%d}" / stem
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(envelope.to_line() for envelope in envelopes))


def _causes() -> list[Envelope]:
    """Failures by the six codes that are often made up, almost equally often, and others."""
    pushes = []
    codes = (*sorted(OFTEN_MADE_UP), "QX:77 13800138000", "")
    for n in range(12):
        failed = [
            record(
                10 * n + m + 5_000, report_status="FAIL", error_msg=code, error_detail=f"第{n}",
                user_receive_time="2026-03-02 15:59:57",
            )
            for m, code in enumerate(codes[: 7 if n == 0 else 8])
        ]  # fmt: skip
        pushes.append(push(form(failed), n, push_id=f"cause-{n:04d}"))
    return pushes


def _bring_in_bad_sends(settings: Settings, root: Path) -> None:
    log = root / "bad.csv"
    log.write_text(_BAD_SENDS, encoding="utf-8")
    bring_in(settings, log)


def _keep(settings: Settings, root: Path) -> None:
    with open_warehouse(settings) as con:
        publish(con, settings)
    shutil.copy2(analytics_path(settings), root / OLD_DATABASE)
