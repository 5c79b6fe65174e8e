"""Codes nobody mapped: when they were seen, and from how many on somebody is warned."""

from datetime import datetime

import pytest

from contract.settings import Settings
from pipelines.models import load_models
from pipelines.models.checks import checks_of, finding_of
from pipelines.models.warehouse import open_warehouse
from tests.data_folder import form, land_bodies, record, take, warehouse

UNMAPPED = "ZZ:4711"


def failures(code: str, count: int, first_sid: int = 1) -> list[dict[str, object]]:
    """Failed messages to China Mobile."""
    wrong = {"report_status": "FAIL", "error_msg": code, "mobile": "13900000000"}
    return [record(first_sid + n, **wrong) for n in range(count)]


def test_an_unmapped_code_is_listed_with_its_first_and_last_time(settings: Settings) -> None:
    """In Shanghai's time as pushed, in UTC in the table; two on each of two days."""
    times = (
        "2026-02-27 10:00:01",
        "2026-02-27 12:00:02",
        "2026-03-01 09:00:03",
        "2026-03-01 11:00:04",
    )
    batch = failures(UNMAPPED, len(times))
    for one, time in zip(batch, times, strict=True):
        one["user_receive_time"] = time
    land_bodies(settings, [form(batch[::-1])])
    take(settings)
    found = "select error_code, failures, first_seen_utc, last_seen_utc from marts.unmapped_errors"
    first, last = datetime(2026, 2, 27, 2, 0, 1), datetime(2026, 3, 1, 3, 0, 4)
    assert warehouse(settings, found) == [(UNMAPPED, 4, first, last)]


@pytest.mark.parametrize(
    ("unmapped", "with_code", "warned"),
    [
        pytest.param(10, 201, False, id="just below 5 %"),
        pytest.param(10, 200, False, id="5 %"),
        pytest.param(10, 199, True, id="just above 5 %"),
        pytest.param(9, 20, False, id="many, but fewer than ten"),
        pytest.param(10, 20, True, id="ten"),
    ],
)
def test_more_than_5_per_cent_and_ten_or_more_unmapped_codes_are_a_warning(
    settings: Settings, unmapped: int, with_code: int, *, warned: bool
) -> None:
    batch = failures(UNMAPPED, unmapped) + failures("MK:0001", with_code - unmapped, 1000)
    land_bodies(settings, [form(batch)])
    take(settings)
    checks = {one.name: one for one in checks_of(load_models()["marts.code_coverage_daily"])}
    check = checks["few_codes_are_unmapped"]
    with open_warehouse(settings, read_only=True) as con:
        assert (finding_of(con, check) is not None) is warned
    assert check.severity == "warn"
