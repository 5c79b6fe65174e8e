"""Files of the send log, read again: each row as its fields, or as text where it is not a row.

Text files are read by Python alone; only Parquet is taken apart by DuckDB, value by value.
"""

import codecs
import csv
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
_BLOCK_BYTES = 1 << 20

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
        yield from _table(path, _encoding(path))


def _encoding(path: Path) -> str:
    """Return UTF-8, or GB18030 where the file is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while data := file.read(_BLOCK_BYTES):
                decoder.decode(data)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8-sig"


def _table(path: Path, encoding: str) -> Iterator[Texts | str]:
    csv.field_size_limit(_LONGEST_FIELD)
    headers = {one: _names(path, encoding, one) for one in _DELIMITERS}
    delimiter = next((one for one, names in headers.items() if "sent_at" in names), ",")
    names = headers[delimiter]
    places = [names.index(name) if name in names else None for name in FIELDS]
    with path.open(encoding=encoding, newline="") as file:
        records = filter(None, csv.reader(file, delimiter=delimiter))
        next(records)
        for record in records:
            if len(record) < len(names) or any(record[len(names) :]):
                yield delimiter.join(record)
            else:
                yield tuple("" if at is None else record[at] for at in places)


def _names(path: Path, encoding: str, delimiter: str) -> list[str]:
    with path.open(encoding=encoding, newline="") as file:
        record = next(filter(None, csv.reader(file, delimiter=delimiter)), [])
    return [name.strip().lower() for name in record]


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
