"""The model is what its room says: every file described, every function true to its assertions."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from contract.settings import Settings
from pipelines import models
from pipelines.models import WAREHOUSE, ModelError, load_models, read_model
from tests.data_folder import settings_of, take

FUNCTIONS = sorted(WAREHOUSE.glob("functions/*.sql"))
ASSERTIONS = [
    (path.stem, assertion)
    for path in FUNCTIONS
    for assertion in re.findall(
        r"^-- assert: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE
    )
]
RATES = "reports delivered failed reported_delivery_rate sent pending unknown delivery_rate"
CONTRACT = {
    "raw.pushes": "push_id file received_at_utc records accepted duplicates conflicts rejected "
    "decoding",
    "raw.rejected_records": "push_id position reason field value received_at_utc",
    "core.sms_status": "sid uid mobile mobile_e164 country_code range_operator report_status "
    "delivered handset_time_utc handset_time_raw event_time_utc error_code error_detail "
    "error_category error_party error_permanent error_match first_received_at_utc push_id copies "
    "conflicting report_lag_s sent_at_utc handset_latency_s end_to_end_s tag",
    "core.conflicting_reports": "sid is_winner",
    "core.carrier_errors": "operator code reference_version",
    "core.sends": "sid uid sent_at_utc tag",
    "marts.delivery_hourly": f"{RATES} receipt_rate effective_rate",
    "marts.delivery_daily": f"{RATES} receipt_rate effective_rate",
    "marts.latency_hourly": "n negative p50_s p90_s p95_s p99_s max_s coverage",
    "marts.latency_buckets_hourly": "n",
    "marts.failures_daily": "failures share example_detail",
    "marts.unmapped_errors": "operator error_code failures first_seen_utc last_seen_utc",
    "marts.push_health_hourly": "pushes records duplicates rejected p95_report_lag_s",
    "ops.ledger": "run_id fingerprint",
    "ops.ledger_by_file": "file pushes records messages duplicates conflicts rejected balanced",
}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """The functions, and nothing else."""
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        models.define_functions(con)
        yield con


@pytest.mark.parametrize(("name", "assertion"), ASSERTIONS)
def test_functions_hold_their_assertions(
    con: duckdb.DuckDBPyConnection, name: str, assertion: str
) -> None:
    assert con.execute(f"select {assertion}").fetchall() == [(True,)], name


@pytest.mark.parametrize(("table", "columns"), CONTRACT.items())
def test_the_contracts_tables_and_columns_are_there_and_exported(table: str, columns: str) -> None:
    model = load_models()[table]
    assert set(columns.split()) <= set(model.columns)
    assert model.export is not None


@pytest.mark.parametrize("name", load_models())
def test_every_model_is_described(name: str) -> None:
    model = load_models()[name]
    assert model.description.endswith(".")
    assert model.temporary or model.columns
    assert all(column.comment.endswith(".") for column in model.columns.values())


@pytest.mark.parametrize("name", [name for name, one in load_models().items() if one.columns])
def test_times_end_in_utc_and_durations_in_s(name: str) -> None:
    for column, one in load_models()[name].columns.items():
        assert (one.type == "timestamp") == column.endswith("_utc") or column == "day_utc", column


@pytest.mark.parametrize("path", sorted(WAREHOUSE.glob("*/*.sql")), ids=lambda path: path.stem)
def test_sql_is_lower_case_and_selects_no_star_into_a_contract_table(path: Path) -> None:
    code = re.sub(
        r"/\*.*?\*/|--[^\n]*|'[^']*'|\"[^\"]*\"", "", path.read_text("utf-8"), flags=re.DOTALL
    )
    assert code == code.lower()
    name = f"{path.parent.name}.{path.stem}"
    if name in CONTRACT:
        assert not re.search(r"select\s+\*", code)


def test_a_wrong_header_is_named_with_its_file(tmp_path: Path) -> None:
    for n, text in enumerate(
        [
            "select 1",
            "/* description: x */ select 1",
            "/*\ndescription: x.\ngrain: a\nmaterialized: table\ncolumns:\n  a: words\n*/ select 1",
            "/*\ndescription: x.\ngrain: a\nmaterialized: table\nexport: cube\n*/ select 1",
            "/*\ndescription: x.\ngrain: a\nmaterialized: table\nunknown: 1\n*/ select 1",
        ]
    ):
        path = tmp_path / f"{n}.sql"
        path.write_text(text)
        with pytest.raises(ModelError, match=f"{n}.sql"):
            read_model(path, tmp_path)


def test_reference_data_is_text_and_its_keys_are_unique(tmp_path: Path) -> None:
    settings: Settings = settings_of(tmp_path)
    take(settings)
    with duckdb.connect(settings.data / "warehouse.duckdb") as con:
        twice = (
            "select operator, code_key from core.carrier_errors group by all having count(*) > 1"
        )
        assert con.execute(twice).fetchall() == []
        codes = {row[0] for row in con.execute("select code from core.carrier_errors").fetchall()}
    assert {"006", "2:24", "-37"} <= codes
