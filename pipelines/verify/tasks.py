"""What either of the two processes can do: compare what is published, and tables."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb

from contract.settings import Settings
from pipelines.verify.clock import shown as shown_time
from pipelines.verify.compare import Comparison, Locate, expected_rows, standing_rows
from pipelines.verify.database import DatabaseCheck
from pipelines.verify.findings import Findings, Place
from pipelines.verify.headers import Table, read_tables
from pipelines.verify.landed import lies_in
from pipelines.verify.manifest import DATABASE, Publication, PublicationCheck, read_manifest
from pipelines.verify.masking import masked_columns
from pipelines.verify.pinned import Pinned, open_database
from pipelines.verify.recompute import EXPECTED, register
from pipelines.verify.report import compare_page
from pipelines.verify.scratch import Named, Row, open_scratch
from pipelines.verify.shares import Share

_OF_A_DAY = {
    "raw.pushes": ("accepted", "duplicates", "conflicts"),
    "raw.rejected_records": (),
    "ops.ledger_by_file": ("messages", "duplicates", "conflicts"),
}
"""Tables compared for one day, and columns that need all days."""


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


def compare_published(state: State, publication: Publication) -> Findings:
    """Compare what is published with itself: manifest, files, database."""
    findings = Findings()
    pinned = state.pinned
    manifest = read_manifest(pinned.manifest, findings)
    if manifest is not None:
        PublicationCheck(manifest, pinned, publication, findings).run(state.settings.export_mobile)
        try:
            with open_database(pinned.database, state.folder, state.settings) as con:
                DatabaseCheck(con, manifest, pinned.exports, publication, findings).run()
        except duckdb.Error as error:
            kind = type(error).__name__
            findings.add(DATABASE, f"cannot be read ({kind}); `dlr run` replaces it.")
    return findings


def compare_tables(
    state: State, names: list[str], shown: bool, on_progress: Callable[[float], None]
) -> Findings:
    """Compare tables with what is expected; ``shown`` are those that readers are given."""
    findings = Findings()
    path = state.pinned.database if shown else state.pinned.warehouse
    with ExitStack() as stack:
        con = stack.enter_context(closing(open_state(state.marts, state.settings, state.core)))
        try:
            duck = stack.enter_context(open_database(path, state.folder, state.settings))
        except duckdb.Error:
            # compare_published reports it
            return findings
        for number, name in enumerate(names, start=1):
            where = f"{DATABASE}, {name}" if shown else name
            try:
                _compare_table(con, duck, read_tables()[name], where, findings)
            except duckdb.Error as error:
                findings.add(where, f"the table cannot be read ({type(error).__name__}).")
            on_progress(number / len(names))
        if shown:
            for sentence in compare_page(con, state.pinned.manifest, state.pinned.copies):
                findings.add("exports/report.html", sentence, sentence.partition(".")[0])
    return findings


def _compare_table(
    con: sqlite3.Connection,
    duck: duckdb.DuckDBPyConnection,
    table: Table,
    where: str,
    findings: Findings,
) -> None:
    types = _common(con, duck, table)
    if not types:
        findings.add(where, "the table has none of its columns.")
        return
    columns = "*" if where == table.name else masked_columns(table, types)
    key = [column for column in table.key if column in types] or list(types)
    Comparison(where, table, types, _locate(con), findings).run(
        expected_rows(con, columns, table.relation, types, key),
        standing_rows(duck, table.name, types, key),
    )


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

    def locate(row: Named) -> Place | None:
        push_id, position = row.get("push_id"), row.get("position")
        try:
            if push_id is None and row.get("sid") is not None:
                query = "select push_id, position from core_sms_status where sid = ?"
                push_id, position = con.execute(query, (row["sid"],)).fetchone() or (None, None)
            push = con.execute("select line from push where push_id = ?", (push_id,)).fetchone()
        except sqlite3.OperationalError:
            # for one day the tables are those of the warehouse, and know no lines
            return None
        return Place(push[0], position) if push else None

    return locate


def compare_day(
    state: State, day: date, duck: duckdb.DuckDBPyConnection, findings: Findings
) -> None:
    """Compare what one day proves: pushes, rejects, and that their messages are there."""
    with closing(open_state(state.read, state.settings, state.core)) as con:
        pushes = {row[0] for row in con.execute("select push_id from push")}

        def covered(rows: Iterable[Row], names: Iterable[str]) -> Iterator[Row]:
            for row in rows:
                named = dict(zip(names, row, strict=True))
                if named.get("push_id") in pushes or (
                    "file" in named and lies_in(named["file"], day)
                ):
                    yield row

        for name, unknown in _OF_A_DAY.items():
            table = read_tables()[name]
            types = {c: kind for c, kind in _common(con, duck, table).items() if c not in unknown}
            Comparison(name, table, types, _locate(con), findings).run(
                covered(expected_rows(con, "*", table.relation, types, table.key), types),
                covered(standing_rows(duck, name, types, table.key), types),
            )
        for row in con.execute((EXPECTED / "recount" / "day_messages.sql").read_text("utf-8")):
            _add_message(row, findings)


def _add_message(row: Row, findings: Findings) -> None:
    sid, line, position, stored, copies, least, first, latest = row
    where, place = "core.sms_status", Place(line, position)
    if stored is None:
        findings.add(where, f"sid {sid} has no row.", "missing", place)
        return
    sentence = (
        f"sid {sid}: {copies} copies, the first at {shown_time(first)}, but this day alone has "
        f"{least}, the first at {shown_time(latest)}."
    )
    findings.add(where, sentence, "differs", place)


def located(con: sqlite3.Connection, lines: set[int]) -> dict[int, str]:
    """Say in words where lines of landed files lie."""
    query = "select file, number, push_id from push where line = ?"
    pushes = {line: con.execute(query, (line,)).fetchone() for line in lines}
    return {
        line: f"landing/{push[0]}, line {push[1]}, push {push[2]}"
        for line, push in pushes.items()
        if push
    }
