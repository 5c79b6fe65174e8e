"""Unit tests of models: YAML beside the SQL, in the form that dbt's users know.

    unit_tests:
      - name: a_rate_is_null_without_its_input
        model: marts.delivery_hourly
        given:
          - input: core.sms_status
            rows:
              - {sid: 1, delivered: true, event_hour_utc: 2026-03-02 08:00:00}
        expect:
          rows:
            - {reports: 1, delivery_rate: null}

An input is a stored table, a step, or what Python hands to the steps. Stored tables that are not
given are empty, steps that are not given are computed. A column left out is null. Of what is
expected only the columns that are named are compared, in any order of rows; floats to six digits.
"""

from dataclasses import dataclass
from typing import Any

import duckdb
import yaml

from contract.settings import Settings
from pipelines.models.catalog import load_models
from pipelines.models.headers import WAREHOUSE, ModelError
from pipelines.models.preview import known_models, make_steps_before
from pipelines.models.steps import rows_of
from pipelines.models.tables import create_table
from pipelines.models.warehouse import scratch_database

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class UnitTest:
    """One case: what a model makes of given rows."""

    name: str
    model: str
    given: dict[str, list[Row]]
    """Rows by input."""
    expected: list[Row]


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows that were expected and did not come, and rows that came instead."""

    missing: list[Row]
    unexpected: list[Row]

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected)

    def __str__(self) -> str:
        """Missing rows after a minus, unexpected ones after a plus."""
        lines = [f"- {row}" for row in self.missing] + [f"+ {row}" for row in self.unexpected]
        return "\n".join(lines)


def load_unit_tests() -> list[UnitTest]:
    """All cases, by file. Raises ModelError where a file is not of the form above."""
    tests = []
    for path in sorted(WAREHOUSE.rglob("*.yml")):
        try:
            cases = yaml.safe_load(path.read_text(encoding="utf-8"))["unit_tests"]
            tests += [
                UnitTest(
                    case["name"],
                    case["model"],
                    {table["input"]: table["rows"] for table in case["given"]},
                    case["expect"]["rows"],
                )
                for case in cases
            ]
        except (KeyError, TypeError, yaml.YAMLError) as error:
            raise ModelError(f"{path}: {error!r}; see pipelines/models/unit_tests.py") from error
    return tests


def run_unit_test(case: UnitTest) -> Difference:
    """Run one case in a database of its own. Raises ModelError where it names what is not there."""
    if case.model not in load_models():
        raise ModelError(f"unit test {case.name}: there is no model {case.model}")
    try:
        with scratch_database(Settings.model_construct()) as con:
            return _run(con, case)
    except duckdb.Error as error:
        raise ModelError(f"unit test {case.name} of {case.model}: {error}") from error


def _run(con: duckdb.DuckDBPyConnection, case: UnitTest) -> Difference:
    for table in load_models().values():
        if not table.temporary:
            create_table(con, table)
    for name in _given_steps(case):
        # empty, with the types that its SELECT has over empty tables
        make_steps_before(con, name, case.given.keys())
        con.execute(f"create temp table {name} as from ({rows_of(known_models()[name])}) limit 0")
    for name, rows in case.given.items():
        _insert(con, name, rows)
    make_steps_before(con, case.model, case.given.keys())
    con.execute(f"create temp table actual as {rows_of(load_models()[case.model])}")
    con.execute("create temp table expected as from actual limit 0")
    _insert(con, "expected", case.expected)
    columns = list(dict.fromkeys(name for row in case.expected for name in row))
    missing = _rows_only_in(con, "expected", "actual", columns)
    return Difference(missing, _rows_only_in(con, "actual", "expected", columns))


def _given_steps(case: UnitTest) -> list[str]:
    """Steps and inputs whose rows are given, each after those it reads."""
    order = [name for name, model in known_models().items() if model.temporary]
    if unknown := case.given.keys() - known_models().keys():
        raise ModelError(f"unit test {case.name}: there is no input {min(unknown)}")
    return [name for name in order if name in case.given]


def _insert(con: duckdb.DuckDBPyConnection, relation: str, rows: list[Row]) -> None:
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        values = ", ".join("?" for _ in row)
        con.execute(f"insert into {relation} ({names}) values ({values})", list(row.values()))


def _rows_only_in(
    con: duckdb.DuckDBPyConnection, relation: str, other: str, columns: list[str]
) -> list[Row]:
    """Rows that one relation has more often than the other, as texts."""
    if not columns:
        count = f"select count(*) as rows from {relation}"
        return _rows(con, f"{count} except select count(*) from {other}")
    types = {name: str(kind) for name, kind, *_ in con.execute(f"describe {relation}").fetchall()}
    compared = ", ".join(
        f'round("{name}", 6) as "{name}"' if types[name] == "DOUBLE" else f'"{name}"'
        for name in columns
    )
    return _rows(
        con, f"select {compared} from {relation} except all select {compared} from {other}"
    )


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    cursor = con.execute(f"select columns(*)::varchar from ({query}) order by all")
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
