"""Files of the send log, read again: each row as its fields, or as text where it is not a row.

Text files are read by Python alone; only Parquet is taken apart by DuckDB, value by value.
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.verify.forms import read_json
from pipelines.verify.reports import as_text

FIELDS = ("sid", "uid", "sent_at", "tag", "mobile")
_DELIMITERS = (",", ";", "\t")
_LONGEST_FIELD = 1 << 24
_MOST_FETCHED = 10_000
_BLOCK = 1 << 20

Texts = tuple[str, ...]
"""The five fields; what is absent is empty."""


def read_rows(path: Path) -> Iterator[Texts | str]:
    """Yield every row of a file; raises OSError or ValueError where there are none to be read."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        yield from _parquet(path)
    elif kind in (".jsonl", ".ndjson"):
        with path.open(encoding=_encoding(path)) as lines:
            yield from map(_object, filter(None, (line.strip(" \t\n") for line in lines)))
    else:
        yield from _table(path)


def _encoding(path: Path) -> str:
    """Return UTF-8, or GB18030 where the file is not UTF-8."""
    try:
        with path.open(encoding="utf-8") as text:
            while text.read(_BLOCK):
                pass
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8-sig"


def _table(path: Path) -> Iterator[Texts | str]:
    csv.field_size_limit(_LONGEST_FIELD)
    with path.open(encoding=_encoding(path), newline="") as file:
        # the delimiter is the first that shows the column sent_at
        for delimiter in _DELIMITERS:
            file.seek(0)
            records = filter(None, csv.reader(file, delimiter=delimiter))
            names = next(records, [])
            places = _places(names)
            if places[FIELDS.index("sent_at")] < len(names):
                break
        for record in records:
            if len(record) < len(names) or any(record[len(names) :]):
                yield delimiter.join(record)
            else:
                yield _fields(record[: len(names)], places)


def _places(names: Iterable[str]) -> list[int]:
    """Say in which column each field stands; behind the last one where the file lacks it."""
    columns = [name.strip().lower() for name in names]
    return [columns.index(field) if field in columns else len(columns) for field in FIELDS]


def _fields(texts: Iterable[str], places: list[int]) -> Texts:
    padded = (*texts, "")
    return tuple(padded[place] for place in places)


def _object(line: str) -> Texts | str:
    value = read_json(line)
    if not isinstance(value, dict):
        return line.strip(" \t\r\n")
    fields = (value.get(name) for name in FIELDS)
    return tuple("" if field is None else as_text(field) for field in fields)


def _parquet(path: Path) -> Iterator[Texts | str]:
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        cursor = con.execute("from read_parquet(?)", [str(path)])
        places = _places(column[0] for column in cursor.description or ())
        while rows := cursor.fetchmany(_MOST_FETCHED):
            for row in rows:
                yield _fields(map(_written, row), places)


def _written(value: Any) -> str:  # noqa: ANN401  any value
    if value is None:
        return ""
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)
