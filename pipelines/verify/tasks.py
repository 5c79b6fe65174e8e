"""What either of the two processes can do: look through what is published, compare tables."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from contract.settings import Settings
from pipelines.verify import published
from pipelines.verify.clock import shown
from pipelines.verify.compare import Comparison, Locate, expected_rows, standing_rows
from pipelines.verify.findings import Findings, Place
from pipelines.verify.headers import Table, hidden_columns, read_tables
from pipelines.verify.landed import lies_in
from pipelines.verify.masking import masked_columns
from pipelines.verify.pinned import Pinned, open_database
from pipelines.verify.recompute import register
from pipelines.verify.scratch import Row, open_scratch
from pipelines.verify.shares import Share

_OF_A_DAY = {
    "raw.pushes": ("accepted", "duplicates", "conflicts"),
    "raw.rejected_records": (),
    "ops.ledger_by_file": ("messages", "duplicates", "conflicts"),
}
"""Tables compared for one day, and columns that only all days together tell."""
_DAY_MESSAGES = """
    select
        day.sid, push.line, day.position, message.sid as stands, message.copies, day.copies,
        message.first_received_at_utc, day.first_received_at_utc
    from core_sms_status as day
    cross join push
        on push.push_id = day.push_id
    left join core.core_sms_status as message
        on message.sid = day.sid
    where message.sid is null
        or message.copies < day.copies
        or (message.first_received_at_utc <= day.first_received_at_utc) is not true
    order by push.line, day.position
"""


class State(NamedTuple):
    """What a process needs to take part."""

    settings: Settings
    folder: Path
    pinned: Pinned
    shares: list[Share]
    day: date | None
    """Landing day whose files alone were read; None where all were."""

    @property
    def core(self) -> Path:
        """Scratch database of raw, core and ops: recounted, or for a day as they stand."""
        return self.folder / "core.db"

    @property
    def read(self) -> Path:
        """Scratch database of what the files that were read give."""
        return self.core if self.day is None else self.folder / "day.db"

    @property
    def marts(self) -> Path:
        """Scratch database of the marts."""
        return self.folder / "marts.db"


def open_state(path: Path, settings: Settings, *attached: Path) -> sqlite3.Connection:
    """Open a scratch database, with what its SQL calls."""
    con = open_scratch(path, *attached)
    register(con, settings)
    return con


def look_published(state: State, books: published.Books) -> Findings:
    """Compare what is published with itself: manifest, files, database."""
    findings = Findings()
    pinned = state.pinned
    manifest = published.read_manifest(pinned, findings)
    if manifest is not None:
        published.compare_manifest(manifest, pinned, state.settings, books, findings)
        try:
            with open_database(pinned.database, state.folder, state.settings) as con:
                published.compare_database(con, manifest, pinned, books, read_tables(), findings)
        except duckdb.Error as error:
            said = f"cannot be read ({type(error).__name__}); `dlr run` replaces it."
            findings.add(published.DATABASE, said)
    return findings


def compare_tables(
    state: State,
    names: list[str],
    shown: bool,
    on_progress: Callable[[float], None],
) -> Findings:
    """Compare tables with what is expected; ``shown`` are those that readers are given."""
    findings = Findings()
    path = state.pinned.database if shown else state.pinned.warehouse
    with ExitStack() as stack:
        con = stack.enter_context(closing(open_state(state.marts, state.settings, state.core)))
        try:
            duck = stack.enter_context(open_database(path, state.folder, state.settings))
        except duckdb.Error:
            # said where the database itself is looked at
            return findings
        for number, name in enumerate(names):
            _compare_table(con, duck, name, findings, shown=shown)
            on_progress((number + 1) / len(names))
        if shown:
            for sentence in published.compare_report(con, state.pinned):
                findings.add("exports/report.html", sentence, sentence.partition(".")[0])
    return findings


def _compare_table(
    con: sqlite3.Connection,
    duck: duckdb.DuckDBPyConnection,
    name: str,
    findings: Findings,
    *,
    shown: bool,
) -> None:
    where = f"{published.DATABASE}, {name}" if shown else name
    tables = read_tables()
    table, hidden = tables[name], hidden_columns(tables.values())
    try:
        types = _common(con, duck, table)
        if not types:
            findings.add(where, "the table has none of its columns.")
            return
        columns = masked_columns(table, types) if shown else "*"
        key = [column for column in table.key if column in types] or list(types)
        Comparison(where, table, types, hidden, _locate(con), findings).run(
            expected_rows(con, columns, table.relation, types, key),
            standing_rows(duck, name, types, key),
        )
    except duckdb.Error as error:
        findings.add(where, f"the table cannot be read ({type(error).__name__}).")


def column_names(con: sqlite3.Connection, relation: str) -> list[str]:
    """Return the columns of an expected table; none where there is no such table."""
    return [row[0] for row in con.execute("select name from pragma_table_info(?)", (relation,))]


def _common(
    con: sqlite3.Connection, duck: duckdb.DuckDBPyConnection, table: Table
) -> dict[str, str]:
    """Return the columns, with types, that are both expected and there."""
    there = {row[0] for row in duck.execute(f"describe {table.name}").fetchall()}
    there &= set(column_names(con, table.relation))
    return {name: kind for name, kind in table.columns.items() if name in there}


def _locate(con: sqlite3.Connection) -> Locate:
    """Return what finds the landed report or push that a row comes from."""

    def locate(row: dict[str, Any]) -> Place | None:
        push_id, position = row.get("push_id"), row.get("position")
        try:
            if push_id is None and row.get("sid") is not None:
                query = "select push_id, position from core_sms_status where sid = ?"
                push_id, position = con.execute(query, (row["sid"],)).fetchone() or (None, None)
            found = con.execute("select line from push where push_id = ?", (push_id,)).fetchone()
        except sqlite3.OperationalError:
            # for one day the tables are those of the warehouse, and know no lines
            return None
        return Place(found[0], position) if found else None

    return locate


def compare_day(
    state: State, day: date, duck: duckdb.DuckDBPyConnection, findings: Findings
) -> None:
    """Compare what one day tells: pushes, rejects, and that their messages are there."""
    tables = read_tables()
    hidden = hidden_columns(tables.values())
    with closing(open_state(state.read, state.settings, state.core)) as con:
        pushes = {row[0] for row in con.execute("select push_id from push")}

        def covers(row: dict[str, Any]) -> bool:
            of_file = "file" in row and lies_in(row["file"], day)
            return of_file or row.get("push_id") in pushes

        for name, unknown in _OF_A_DAY.items():
            table = tables[name]
            types = {c: kind for c, kind in _common(con, duck, table).items() if c not in unknown}
            Comparison(name, table, types, hidden, _locate(con), findings).run(
                filtered(expected_rows(con, "*", table.relation, types, table.key), types, covers),
                filtered(standing_rows(duck, name, types, table.key), types, covers),
            )
        for row in con.execute(_DAY_MESSAGES):
            _say_message(row, findings)


def filtered(
    rows: Iterable[Row], names: Iterable[str], condition: Callable[[dict[str, Any]], bool]
) -> Iterator[Row]:
    """Yield the rows that meet a condition on their columns."""
    return (row for row in rows if condition(dict(zip(names, row, strict=True))))


def _say_message(row: Row, findings: Findings) -> None:
    sid, line, position, stands, copies, least, first, latest = row
    where, place = "core.sms_status", Place(line, position)
    if stands is None:
        findings.add(where, f"sid {sid} has no row.", "missing", place)
    else:
        said = f"{copies} copies, the first at {shown(first)}, where this day alone has {least}"
        findings.add(where, f"sid {sid}: {said}, the first at {shown(latest)}.", "differs", place)
