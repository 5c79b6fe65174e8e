"""Verify's own SQL gives what stands in the marts, and sees it when they say something else.

The tables that the marts are computed from are copied to SQLite as verify has them there.
"""

import copy
import graphlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from contract.settings import Settings
from pipelines import models
from pipelines.models.warehouse import open_warehouse, warehouse_path
from pipelines.publish.parquet import set_privacy
from pipelines.publish.report.figures import read_figures
from pipelines.publish.report.store import report_path
from pipelines.sends.files import bring_in
from pipelines.verify.functions import (
    VERIFIED,
    compare_functions,
    is_close,
    published_functions,
    register,
)
from pipelines.verify.report import compare_report
from tests.data_folder import FIRST, form, land, push, record, run, settings_of, take
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
    columns = ", ".join(
        f'"{name}"' + ("::varchar" if column.type == "ubigint" else "")
        for name, column in models.load_models()[table].columns.items()
    )
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
    for n in range(405):
        code = (*sorted(OFTEN_MADE_UP), "QX:77 13800138000", "　")[n % 8]
        mobile = "+99912" if n % 16 == 6 else "15205201314"
        failed = record(
            7_000 + n,
            report_status="FAIL",
            error_msg=code,
            error_detail=f"第{n % 5}",
            mobile=mobile,
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
        base / "traffic", messages=6_000, days=5, bad=0.01, damaged=0.02, conflicts=0.02, seed=3,
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
    filled = {
        name: scratch.execute(f"select count(*) from marts_{name}").fetchone() for name in MARTS
    }
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


def published_figures(settings: Settings) -> dict[str, Any]:
    """The numbers that the published report carries."""
    page = report_path(settings).read_text(encoding="utf-8")
    [text] = re.findall(r'<script type="application/json" id="figures">(.*?)</script>', page)
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def mask() -> Iterator[Callable[[str | None], str | None]]:
    """Texts as readers see them, by the product's own rule: the form, not the rule, is tested."""
    with duckdb.connect() as con:
        models.define_functions(con)
        yield lambda text: con.execute("select exported_text(?, null)", [text]).fetchall()[0][0]


def test_the_report_says_what_is_expected(
    folder: Settings, scratch: sqlite3.Connection, mask: Callable[[str | None], str | None]
) -> None:
    figures = published_figures(folder)
    assert list(compare_report(scratch, figures, mask)) == []
    assert "****" in json.dumps(figures["codes"])
    assert [name for name, value in figures.items() if not value] == ["comparable"]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every single figure."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))
    else:
        yield path


def altered(value: Any) -> Any:
    """Another value that could stand there."""
    if isinstance(value, bool) or value is None:
        return not value
    return f"{value}x" if isinstance(value, str) else value * 1.001 + 0.001


def test_every_altered_figure_of_the_report_is_named(
    folder: Settings, scratch: sqlite3.Connection, mask: Callable[[str | None], str | None]
) -> None:
    figures = published_figures(folder)
    tampered = copy.deepcopy(figures)
    expected = set()
    for path in places(figures):
        if len(path) == 3 and path[1] not in (0, "now", "before"):
            continue  # of every list of rows the first one
        inner = tampered
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = altered(inner[path[-1]])
        named = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
        expected.add(named.removeprefix("."))
    found = {said.partition(": ")[0] for said in compare_report(scratch, tampered, mask)}
    assert found == expected


def test_a_missing_row_an_additional_one_and_a_missing_part_are_named(
    folder: Settings, scratch: sqlite3.Connection, mask: Callable[[str | None], str | None]
) -> None:
    figures = published_figures(folder)
    figures["operators"].pop()
    figures["codes"].append(figures["codes"][0])
    del figures["coverage"]
    figures["more"] = 1
    found = [said.partition(": ")[0] for said in compare_report(scratch, figures, mask)]
    assert sorted(found) == ["codes", "coverage", "more", "operators"]


WAITING = "sid,uid,sent_at,tag,mobile\n90001,w,2026-03-20T10:00:00Z,promo,15205201314\n"


@pytest.mark.parametrize("reports", ["none", "before", "now", "nowhere"])
@pytest.mark.parametrize("sends", ["none", "waiting"])
def test_a_report_over_little_is_what_is_expected(
    settings: Settings,
    tmp_path: Path,
    mask: Callable[[str | None], str | None],
    reports: str,
    sends: str,
) -> None:
    """Reports of last week, of today, of a number of nowhere, with and without a waiting send."""
    if reports != "none":
        mobile = "+99912" if reports == "nowhere" else "15205201314"
        early = [form([record(n, mobile=mobile)]) for n in range(3)]
        later = [form([])] if reports == "before" else early
        pushes = [push(body, n) for n, body in enumerate(early)]
        pushes += [
            push(body, n, received_at=FIRST + timedelta(days=18, hours=3))
            for n, body in enumerate(later, start=100)
        ]
        land(settings, pushes)
    if sends == "waiting":
        log = tmp_path / "log.csv"
        log.write_text(WAITING, encoding="utf-8")
        assert bring_in(settings, log)
    take(settings)
    with open_warehouse(settings) as con:
        set_privacy(con, settings)
        figures = json.loads(json.dumps(read_figures(con)))
    con = scratch_of(settings)
    assert list(compare_report(con, figures, mask)) == []
    assert list(differences(settings, con)) == []
    con.close()
