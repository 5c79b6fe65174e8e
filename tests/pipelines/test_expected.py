"""Verify's own SQL gives what stands in the marts, and sees it when they say something else.

The tables that the marts are computed from are copied to SQLite as verify has them there.
"""

import graphlib
import re
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.settings import Settings
from pipelines import models
from pipelines.verify.functions import (
    VERIFIED,
    compare_functions,
    is_close,
    published_functions,
    register,
)
from pipelines.warehouse import warehouse_path
from tests.data_folder import FIRST, form, land, push, record, run, settings_of
from tests.simulated import as_people_keep_it, bring_in_sends, land_in_files, simulated
from tests.truth.coverage import OFTEN_MADE_UP

EXPECTED = Path(__file__).parents[2] / "pipelines" / "verify" / "expected"
MARTS = {path.stem: path.read_text(encoding="utf-8") for path in EXPECTED.glob("marts/*.sql")}
SOURCES = ("core.sms_status", "core.sends", "core.repeated_reports", "core.carrier_errors")
EPOCH = datetime(1970, 1, 1)
Row = tuple[Any, ...]


def in_scratch(value: Any) -> Any:
    """A value of DuckDB's as verify keeps it in SQLite."""
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(microseconds=1)
    return value.isoformat() if isinstance(value, date) else value


def rows_of(con: duckdb.DuckDBPyConnection, table: str) -> Iterator[Row]:
    columns = ", ".join(f'"{name}"' for name in models.load_models()[table].columns)
    for row in con.execute(f"select {columns} from {table}").fetchall():
        yield tuple(map(in_scratch, row))


def copy_table(scratch: sqlite3.Connection, con: duckdb.DuckDBPyConnection, table: str) -> None:
    columns = list(models.load_models()[table].columns)
    names = ", ".join(f'"{name}"' for name in columns)
    scratch.execute(f"create table {table.replace('.', '_')} ({names})")
    scratch.executemany(
        f"insert into {table.replace('.', '_')} values ({', '.join('?' * len(columns))})",
        rows_of(con, table),
    )


def in_order() -> list[str]:
    """The marts, each after the ones it reads."""
    reads = {name: set(re.findall(r"marts_(\w+)", sql)) for name, sql in MARTS.items()}
    return list(graphlib.TopologicalSorter(reads).static_order())


def scratch_of(settings: Settings) -> sqlite3.Connection:
    """What verify would have recounted: tables as in the warehouse, marts by its own SQL."""
    scratch = sqlite3.connect(":memory:")
    register(scratch)
    with duckdb.connect(warehouse_path(settings), read_only=True) as con:
        for table in (*SOURCES, "raw.pushes", "ops.ledger"):
            copy_table(scratch, con, table)
    for name in in_order():
        scratch.execute(f"create table marts_{name} as {MARTS[name]}")
    return scratch


def differences(settings: Settings, scratch: sqlite3.Connection) -> Iterator[str]:
    """What differs, mart by mart, column by column."""
    with duckdb.connect(warehouse_path(settings), read_only=True) as con:
        for name in MARTS:
            model = models.load_models()[f"marts.{name}"]
            columns = list(model.columns)
            grain = [columns.index(key.strip()) for key in model.grain.split(",")]
            found = {tuple(row[n] for n in grain): row for row in rows_of(con, model.name)}
            recounted = {
                tuple(row[n] for n in grain): row
                for row in scratch.execute(f"select * from marts_{name}")
            }
            yield from (f"{name} {key}" for key in found.keys() ^ recounted.keys())
            for key in found.keys() & recounted.keys():
                for column, value, expected in zip(
                    columns, found[key], recounted[key], strict=True
                ):
                    if not is_close(value, expected):
                        yield f"{name} {key}: {column} is {value}, expected {expected}"


def land_causes(settings: Settings) -> None:
    """Days of failures: six codes that look made up, some that nothing explains, one blank."""
    pushes = []
    for n in range(80):
        code = (*sorted(OFTEN_MADE_UP), "QX:77 13800138000", "　")[n % 8]
        mobile = "+99912" if n % 16 == 6 else "15205201314"
        failed = record(
            7_000 + n, report_status="FAIL", error_msg=code, error_detail=f"第{n % 5}", mobile=mobile
        )
        at = FIRST + timedelta(days=n % 2, seconds=n)
        pushes.append(push(form([failed]), n, push_id=f"cause-{n:04d}", received_at=at))
    land(settings, pushes, "causes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Five days with conflicts, damage, a patchy send log and causes of every kind."""
    base = tmp_path_factory.mktemp("expected")
    settings = settings_of(base / "data")
    traffic = simulated(
        base / "traffic", messages=12_000, days=5, bad=0.01, damaged=0.02, conflicts=0.02, seed=3,
        start=FIRST - timedelta(days=4),
    )  # fmt: skip
    land_in_files(settings, traffic.envelopes)
    land_causes(settings)
    bring_in_sends(settings, as_people_keep_it(traffic.sends, seed=5), base / "log")
    run(settings)
    return settings


@pytest.fixture
def scratch(folder: Settings) -> Iterator[sqlite3.Connection]:
    con = scratch_of(folder)
    yield con
    con.close()


def test_every_published_mart_has_its_expected_columns(scratch: sqlite3.Connection) -> None:
    published = {
        model.table: list(model.columns)
        for model in models.load_models().values()
        if model.schema == "marts" and model.export
    }
    described = {
        name: [column[0] for column in scratch.execute(f"select * from marts_{name}").description]
        for name in MARTS
    }
    assert described == published


def test_the_marts_hold_what_is_expected(folder: Settings, scratch: sqlite3.Connection) -> None:
    assert list(differences(folder, scratch)) == []
    filled = {name: scratch.execute(f"select count(*) from marts_{name}").fetchone() for name in MARTS}
    assert not [name for name, count in filled.items() if count == (0,)]


def test_no_column_of_the_marts_is_always_empty(scratch: sqlite3.Connection) -> None:
    """Else it would be compared with nothing."""
    empty = [
        f"{name}.{column[0]}"
        for name in MARTS
        for column in scratch.execute(f"select * from marts_{name} limit 1").description
        if not scratch.execute(
            f'select count(*) from marts_{name} where "{column[0]}" not in (0, 0.0)'
        ).fetchone()[0]
    ]
    assert empty == []


@pytest.mark.parametrize("function", sorted(published_functions()))
def test_a_published_function_that_is_missing_or_wrong_is_seen(function: str) -> None:
    assert function in VERIFIED
    with duckdb.connect() as con:
        models.publish_functions(con)
        assert list(compare_functions(con)) == []
        parameters, definition = con.execute(
            "select parameters, macro_definition from duckdb_functions() where function_name = ?",
            [function],
        ).fetchall()[0]
        con.execute(
            f"create or replace macro {function}({', '.join(parameters)}) as 1.001 * ({definition})"
        )
        assert any(f"{function}() gives" in said for said in compare_functions(con))
        con.execute(f"drop macro {function}")
        assert f"the function {function}() is missing." in list(compare_functions(con))


def test_a_function_more_is_seen() -> None:
    with duckdb.connect() as con:
        models.publish_functions(con)
        con.execute("create macro shares(a, b) as a / b")
        assert list(compare_functions(con)) == [
            "the function shares() is in no file of warehouse/functions."
        ]
