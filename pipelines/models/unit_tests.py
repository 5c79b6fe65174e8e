"""Unit tests of models: YAML beside the SQL, in the form that dbt's users know.

The form is shown in ``warehouse/README.md``. An input is a stored table, a step, or one of
``warehouse/inputs``. Stored tables that are not given are empty, steps that are not given are
computed. A column left out is null. Of what is expected only the columns that are named are
compared, in any order of rows; floats to six digits.
"""

from dataclasses import dataclass
from typing import Any

import duckdb
import yaml

from contract.settings import Settings
from pipelines.models.catalog import known_models, load_models
from pipelines.models.headers import WAREHOUSE, ModelError
from pipelines.models.preview import make_steps_before
from pipelines.models.rows import fetch_rows
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
            raise ModelError(f"{path}: {error!r}; see warehouse/README.md") from error
    return tests


def run_unit_test(case: UnitTest) -> str:
    """Run one case in a database of its own; returns what differs, nothing where it holds.

    A line for each row: missing ones after a minus, unexpected ones after a plus. Raises ModelError
    where the case names what is not there.
    """
    if case.model not in load_models():
        raise ModelError(f"unit test {case.name}: there is no model {case.model}")
    if unknown := case.given.keys() - known_models().keys():
        raise ModelError(f"unit test {case.name}: there is no input {min(unknown)}")
    try:
        with scratch_database(Settings.model_construct()) as con:
            return _run(con, case)
    except duckdb.Error as error:
        raise ModelError(f"unit test {case.name} of {case.model}: {error}") from error


def _run(con: duckdb.DuckDBPyConnection, case: UnitTest) -> str:
    for model in load_models().values():
        if not model.temporary:
            create_table(con, model)
    for name, model in known_models().items():
        if model.temporary and name in case.given:
            # empty, with the types that its SELECT has over empty tables
            make_steps_before(con, name, case.given.keys())
            con.execute(f"create temp table {name} as from ({rows_of(model)}) limit 0")
    for name, rows in case.given.items():
        _insert(con, name, rows)
    make_steps_before(con, case.model, case.given.keys())
    con.execute(f"create temp table actual as {rows_of(load_models()[case.model])}")
    con.execute("create temp table expected as from actual limit 0")
    _insert(con, "expected", case.expected)
    compared = _compared_columns(con, case)
    missing = _rows_only_in(con, "expected", "actual", compared)
    unexpected = _rows_only_in(con, "actual", "expected", compared)
    return "\n".join([f"- {row}" for row in missing] + [f"+ {row}" for row in unexpected])


def _insert(con: duckdb.DuckDBPyConnection, relation: str, rows: list[Row]) -> None:
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        values = ", ".join("?" for _ in row)
        con.execute(f"insert into {relation} ({names}) values ({values})", list(row.values()))


def _compared_columns(con: duckdb.DuckDBPyConnection, case: UnitTest) -> str:
    """The columns that are expected, as SQL; all of them where no row is."""
    types = {row["column_name"]: row["column_type"] for row in fetch_rows(con, "describe actual")}
    return ", ".join(
        f'round("{name}", 6) as "{name}"' if types[name] == "DOUBLE" else f'"{name}"'
        for name in dict.fromkeys(name for row in case.expected for name in row) or types
    )


def _rows_only_in(
    con: duckdb.DuckDBPyConnection, relation: str, other: str, columns: str
) -> list[Row]:
    """Rows that one relation has more often than the other, as texts."""
    differing = f"select {columns} from {relation} except all select {columns} from {other}"
    return fetch_rows(con, f"select columns(*)::varchar from ({differing}) order by all")
