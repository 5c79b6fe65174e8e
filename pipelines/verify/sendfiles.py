"""Files of the send log, read again: each row as its fields, or as a text where it is none.

Text files are read by Python alone; only Parquet is taken apart by DuckDB, value by value.
"""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.verify.forms import NO_JSON, read_json
from pipelines.verify.reports import as_text

FIELDS = ("sid", "uid", "sent_at", "tag", "mobile")
_DELIMITERS = (",", ";", "\t")
_LONGEST_FIELD = 1 << 24
_MOST_FETCHED = 10_000

Texts = tuple[str, ...]
"""The five fields; what is absent is empty."""


def read_rows(path: Path) -> Iterator[Texts | str]:
    """Yield every row of a file; raises OSError or ValueError where there are none to be read."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        yield from _parquet(path)
    elif kind in (".jsonl", ".ndjson"):
        lines = _text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        yield from map(_object, filter(None, (line.strip(" \t") for line in lines)))
    else:
        yield from _table(_text(path))


def _text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")


def _table(text: str) -> Iterator[Texts | str]:
    csv.field_size_limit(_LONGEST_FIELD)
    delimiter = next((one for one in _DELIMITERS if "sent_at" in _names(text, one)), ",")
    names = _names(text, delimiter)
    records = filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    next(records)
    for record in records:
        if len(record) < len(names) or any(record[len(names) :]):
            yield delimiter.join(record)
        else:
            fields = dict(zip(names, record, strict=False))
            yield tuple(fields.get(name, "") for name in FIELDS)


def _names(text: str, delimiter: str) -> list[str]:
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [name.strip().lower() for name in next(filter(None, records), [])]


def _object(line: str) -> Texts | str:
    value = read_json(line)
    if value is NO_JSON or not isinstance(value, dict):
        return line.strip(" \t\r\n")
    fields = (value.get(name) for name in FIELDS)
    return tuple("" if field is None else as_text(field) for field in fields)


def _parquet(path: Path) -> Iterator[Texts | str]:
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        cursor = con.execute("from read_parquet(?)", [str(path)])
        names = [column[0].strip().lower() for column in cursor.description or ()]
        places = [names.index(name) if name in names else None for name in FIELDS]
        while rows := cursor.fetchmany(_MOST_FETCHED):
            for row in rows:
                yield tuple("" if at is None else _written(row[at]) for at in places)


def _written(value: Any) -> str:  # noqa: ANN401  any value
    if value is None:
        return ""
    if isinstance(value, datetime):
        aware = value.tzinfo is not None
        return value.astimezone(UTC).isoformat() if aware else value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)
