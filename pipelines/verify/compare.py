"""Tables row by row: the rows that are expected and those that are stored, both in key order.

The first thousand differing keys are compared column by column, further ones are only counted.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

import duckdb

from pipelines.verify.clock import shown
from pipelines.verify.findings import Findings, Place, masked
from pipelines.verify.functions import is_close
from pipelines.verify.headers import Table, hidden_columns
from pipelines.verify.masking import masked_columns
from pipelines.verify.scratch import Named, Row

_MOST_COMPARED = 1_000
_MOST_FETCHED = 4_000
_IN_SQLITE = {
    "timestamp": "epoch_us({})",
    "boolean": "{}::tinyint",
    "date": "{}::varchar",
    "ubigint": "{}::varchar",
}
"""Types that SQLite holds in another way, and how DuckDB gives them so."""


def fetch(
    con: duckdb.DuckDBPyConnection, source: str, types: dict[str, str], key: Iterable[str] = ()
) -> Iterator[Row]:
    """Yield the rows of a table as SQLite holds them, ordered by the key, nulls first."""
    columns = ", ".join(
        _IN_SQLITE.get(kind, "{}").format(f'"{name}"') for name, kind in types.items()
    )
    order = ", ".join(f'"{name}" nulls first' for name in key)
    query = f"select {columns} from {source}" + (f" order by {order}" if order else "")
    cursor = con.execute(query)
    return chain.from_iterable(iter(partial(cursor.fetchmany, _MOST_FETCHED), []))


def column_names(con: sqlite3.Connection, relation: str) -> list[str]:
    """Return the columns of an expected table; none where there is no such table."""
    return [row[0] for row in con.execute("select name from pragma_table_info(?)", (relation,))]


class Comparison:
    """Compares a stored table with the expected one.

    ``source`` names the database that readers are given, where texts are masked; columns
    ``without`` are left out.
    """

    def __init__(
        self,
        con: sqlite3.Connection,
        duck: duckdb.DuckDBPyConnection,
        table: Table,
        findings: Findings,
        source: str = "",
        without: Iterable[str] = (),
    ) -> None:
        self._con, self._duck, self._table, self._findings = con, duck, table, findings
        self._where = f"{source}, {table.name}" if source else table.name
        self._is_masked, self._without = bool(source), set(without)

    def run(self, only: Callable[[Named], bool] | None = None) -> None:
        """Compare row by row, or ``only`` some rows; rows of one key meet whatever their order."""
        try:
            streams = self._streams()
            if only is not None:
                streams = [(row for row in rows if only(self._named(row))) for rows in streams]
            for count, groups in enumerate(self._unequal(*streams), start=1):
                if count > _MOST_COMPARED:
                    self._findings.add(self._where, "", "rows")
                else:
                    self._compare(*groups)
        except duckdb.Error as error:
            sentence = f"the table cannot be read ({type(error).__name__})."
            self._findings.add(self._where, sentence)

    def _streams(self) -> list[Iterator[Row]]:
        """Return the rows that are expected and those that are stored, in the order of the key."""
        table = self._table
        described = self._duck.execute(f"describe {table.name}").fetchall()
        common = {row[0] for row in described} & {*column_names(self._con, table.relation)}
        common -= self._without
        self._types = {name: kind for name, kind in table.columns.items() if name in common}
        self._names = list(self._types)
        if not common:
            self._findings.add(self._where, "the table has none of its columns.")
            return [iter(()), iter(())]
        key = [name for name in table.key if name in common] or self._names
        self._key = [self._names.index(name) for name in key]
        names, order = (", ".join(f'"{name}"' for name in part) for part in (self._names, key))
        columns = masked_columns(table, self._names) if self._is_masked else "*"
        expected = self._con.execute(
            f"select {names} from (select {columns} from {table.relation}) order by {order}"
        )
        return [expected, fetch(self._duck, table.name, self._types, key)]

    def _named(self, row: Row) -> Named:
        return dict(zip(self._names, row, strict=True))

    def _unequal(
        self, expected: Iterator[Row], stored: Iterator[Row]
    ) -> Iterator[tuple[list[Row], list[Row]]]:
        """Yield the rows of both sides under each key where they are not the same."""
        left, right, last = next(expected, None), next(stored, None), None
        while left is not None or right is not None:
            if left == right:
                last, left, right = left, next(expected, None), next(stored, None)
                continue
            key = min(self._sortable(row) for row in (left, right) if row is not None)
            equal = [last] if last is not None and self._sortable(last) == key else []
            expected_rows, stored_rows, last = equal[:], equal[:], None
            while left is not None and self._sortable(left) == key:
                expected_rows.append(left)
                left = next(expected, None)
            while right is not None and self._sortable(right) == key:
                stored_rows.append(right)
                right = next(stored, None)
            yield expected_rows, stored_rows

    def _sortable(self, row: Row) -> list[tuple[bool, Any]]:
        return [(row[at] is not None, row[at]) for at in self._key]

    def _compare(self, expected: list[Row], stored: list[Row]) -> None:
        place = self._place((expected or stored)[0])
        if len(expected) == len(stored):
            missing = sorted((row for row in expected if row not in stored), key=repr)
            extra = sorted((row for row in stored if row not in expected), key=repr)
            for row, stored_row in zip(missing, extra, strict=False):
                sentence = self._differences(row, stored_row)
                if sentence:
                    self._add(row, f": {sentence}", "differs", place)
        elif not stored:
            self._add(expected[0], " has no row", "missing", place)
        elif not expected:
            self._add(stored[0], " has a row that nothing received accounts for", "extra", place)
        elif len(stored) > len(expected):
            self._add(stored[0], " has more than one row", "doubled", place)
        else:
            self._add(expected[0], " has too few rows", "missing", place)

    def _place(self, row: Row) -> Place | None:
        """Find the landed report or push that a row comes from."""
        values = self._named(row)
        push_id, position = values.get("push_id"), values.get("position")
        try:
            if push_id is None and values.get("sid") is not None:
                query = "select push_id, position from core_sms_status where sid = ?"
                message = self._con.execute(query, (values["sid"],)).fetchone()
                push_id, position = message or (None, None)
            query = "select line from push where push_id = ?"
            push = self._con.execute(query, (push_id,)).fetchone()
        except sqlite3.OperationalError:
            # for one day the tables are those of the warehouse, and know no lines
            return None
        return Place(push[0], position) if push else None

    def _add(self, row: Row, sentence: str, kind: str, place: Place | None) -> None:
        key = ", ".join(
            f"{self._names[at]} {self._shown(self._names[at], row[at])}" for at in self._key
        )
        self._findings.add(self._where, f"{key}{sentence}.", kind, place)

    def _differences(self, expected: Row, stored: Row) -> str:
        parts = []
        for name, right, value in zip(self._names, expected, stored, strict=True):
            if not is_close(value, right):
                texts = self._shown(name, value), self._shown(name, right)
                hidden = " (they differ in the hidden part)" if texts[0] == texts[1] else ""
                parts.append(f"{name} is {texts[0]}, expected {texts[1]}{hidden}")
        return "; ".join(parts)

    def _shown(self, name: str, value: object) -> str:
        kind = self._types[name]
        if value is None:
            return "null"
        if kind == "timestamp":
            return shown(value)
        if kind == "boolean" and value in (0, 1):
            return str(bool(value))
        return masked(value) if name in hidden_columns() else str(value)
