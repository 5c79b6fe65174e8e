"""Two ordered streams of rows, one expected and one that stands there: where they differ.

Both come ordered by the key of the table, nulls first. The first thousand differing rows are
compared column by column, further ones are only counted.
"""

import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

import duckdb

from pipelines.verify.clock import shown
from pipelines.verify.findings import Findings, Place, masked
from pipelines.verify.headers import Table, hidden_columns
from pipelines.verify.scratch import Row

_CLOSE = 1e-9
_MOST_LOOKED_AT = 1_000
_MOST_FETCHED = 4_000

Locate = Callable[[dict[str, Any]], Place | None]


def plain_columns(types: dict[str, str]) -> str:
    """Return columns as SQL of DuckDB that gives what SQLite holds: times in microseconds."""
    written = {
        "timestamp": "epoch_us({})",
        "boolean": "{}::tinyint",
        "date": "{}::varchar",
        "ubigint": "{}::varchar",
    }
    return ", ".join(written.get(kind, "{}").format(f'"{name}"') for name, kind in types.items())


def standing_rows(
    con: duckdb.DuckDBPyConnection, source: str, types: dict[str, str], key: Iterable[str]
) -> Iterator[Row]:
    """Return the rows of a table or view in the order of its key."""
    order = ", ".join(f'"{name}" nulls first' for name in key)
    return stream(con, f"select {plain_columns(types)} from {source} order by {order}")


def stream(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[Row]:
    """Return the rows of a query, some thousand fetched at a time."""
    cursor = con.execute(query)
    return chain.from_iterable(iter(partial(cursor.fetchmany, _MOST_FETCHED), []))


def expected_rows(
    con: sqlite3.Connection, columns: str, relation: str, names: Iterable[str], key: Iterable[str]
) -> Iterator[Row]:
    """Return the expected rows; ``columns`` is SQL, of which ``names`` are read."""
    wanted, order = (", ".join(f'"{name}"' for name in part) for part in (names, key))
    source = f"(select {columns} from {relation})"
    return iter(con.execute(f"select {wanted} from {source} order by {order}"))


class Comparison:
    """Compares the rows of one table and reports those that differ."""

    def __init__(
        self,
        where: str,
        table: Table,
        types: dict[str, str],
        locate: Locate,
        findings: Findings,
    ) -> None:
        self._where, self._types, self._hidden = where, types, hidden_columns()
        self._names = list(types)
        self._key = [self._names.index(name) for name in table.key if name in types]
        self._locate, self._findings = locate, findings
        self._looked_at = 0

    def run(self, expected: Iterable[Row], standing: Iterable[Row]) -> None:
        """Compare row by row; rows of one key meet whatever their order."""
        for wanted, found in self._unequal(iter(expected), iter(standing)):
            self._looked_at += 1
            if self._looked_at > _MOST_LOOKED_AT:
                self._findings.add(self._where, "", "rows")
            else:
                self._say(wanted, found)

    def _unequal(
        self, expected: Iterator[Row], standing: Iterator[Row]
    ) -> Iterator[tuple[list[Row], list[Row]]]:
        """Yield what stands on both sides under each key that is not the same on both."""
        left, right = next(expected, None), next(standing, None)
        last: Row | None = None
        while left is not None or right is not None:
            if left == right:
                last, left, right = left, next(expected, None), next(standing, None)
                continue
            key = min(self._sortable(row) for row in (left, right) if row is not None)
            wanted: list[Row] = []
            found: list[Row] = []
            if last is not None and self._sortable(last) == key:
                wanted, found = [last], [last]
            while left is not None and self._sortable(left) == key:
                wanted.append(left)
                left = next(expected, None)
            while right is not None and self._sortable(right) == key:
                found.append(right)
                right = next(standing, None)
            last = None
            yield wanted, found

    def _sortable(self, row: Row) -> list[tuple[bool, Any]]:
        return [(row[at] is not None, row[at]) for at in self._key]

    def _say(self, wanted: list[Row], found: list[Row]) -> None:
        only_wanted = [row for row in wanted if row not in found]
        only_found = [row for row in found if row not in wanted]
        place = self._locate(dict(zip(self._names, (wanted or found)[0], strict=True)))
        if len(found) > len(wanted) and wanted:
            self._add(found[0], "has more than one row", "doubled", place)
        elif len(wanted) == len(found):
            ordered = zip(sorted(only_wanted, key=repr), sorted(only_found, key=repr), strict=False)
            for right, stands in ordered:
                sentence = self._differences(right, stands)
                if sentence:
                    self._add(right, sentence, "differs", place, sign=":")
        elif found:
            sentence = "has a row that nothing received accounts for"
            self._add(found[0], sentence, "extra", place)
        else:
            self._add(only_wanted[0], "has no row", "missing", place)

    def _add(self, row: Row, sentence: str, kind: str, place: Place | None, sign: str = "") -> None:
        named = ", ".join(
            f"{self._names[at]} {self._shown(self._names[at], row[at])}" for at in self._key
        )
        self._findings.add(self._where, f"{named}{sign} {sentence}.", kind, place)

    def _differences(self, wanted: Row, found: Row) -> str:
        parts = []
        for name, right, stands in zip(self._names, wanted, found, strict=True):
            if agree(stands, right):
                continue
            pair = self._shown(name, stands), self._shown(name, right)
            alike = " (they differ in the hidden part)" if pair[0] == pair[1] else ""
            parts.append(f"{name} is {pair[0]}, expected {pair[1]}{alike}")
        return "; ".join(parts)

    def _shown(self, name: str, value: object) -> str:
        kind = self._types[name]
        if value is None:
            return "null"
        if kind == "timestamp":
            return shown(value)
        if kind == "boolean" and value in (0, 1):
            return str(bool(value))
        return masked(value) if name in self._hidden else str(value)


def agree(found: Any, expected: Any) -> bool:  # noqa: ANN401  any column
    """Compare to the digit; of floats the last digits depend on the order of adding."""
    if isinstance(found, float) and isinstance(expected, float | int):
        return math.isclose(found, expected, rel_tol=_CLOSE, abs_tol=1e-12)
    return type(found) is type(expected) and bool(found == expected)
