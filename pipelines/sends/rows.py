"""Files of the send log to rows of text in ``send_rows``; SQL judges what they mean.

DuckDB reads Parquet, and text that can be read in one way only. The rest goes through Python:
GB18030, quotes out of place, rows of another length, unusual JSON.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import duckdb

from pipelines import models
from pipelines.decode.json_text import as_text, parse
from pipelines.landing.admission import not_regular, unreadable
from pipelines.models import literal
from pipelines.models.rows import hand_over
from pipelines.sends.text import UTF_8, UnreadableError, encoding_of, is_unambiguous

COLUMNS = ("sid", "uid", "sent_at", "tag", "mobile")

_ROWS_AT_ONCE = 100_000
_DELIMITERS = ",;\t"
_BLANK = " \t\r\n"
_MOST_FIELD = 1 << 24
_MOST_HEADER = 1 << 16
_CSV = "header = true, quote = '\"', escape = '\"', strict_mode = true"
_LINES = (
    "header = false, delim = '\x01', quote = '', escape = '', strict_mode = false, "
    f"max_line_size = {_MOST_FIELD}"
)
"""Whole lines: no text that is unambiguous contains the delimiter."""

Fields = tuple[str | None, ...]
"""The text of the whole row where it cannot be taken apart, else None; then the five columns."""


def read_rows(con: duckdb.DuckDBPyConnection, folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Fill ``send_rows`` from the named files; returns what is wrong with those that cannot be."""
    models.run_temporary(con, ("send_rows",))
    problems = {}
    for name in names:
        try:
            _reader_of(folder / name)(con, folder / name, name)
        except UnreadableError as error:
            problems[name] = str(error)
        except (OSError, ValueError, csv.Error, duckdb.Error) as error:
            problems[name] = unreadable(error)
            con.execute("delete from send_rows where file = ?", [name])
    return problems


def check_file(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raise UnreadableError or OSError where no row can be taken from a file; cheap."""
    reader = _reader_of(path)
    path.open("rb").close()
    if reader is _read_parquet:
        _parquet_columns(con, path)
    elif reader is _read_csv:
        _read_header(path, encoding_of(path))
    else:
        encoding_of(path)


def _reader_of(path: Path) -> Callable[[duckdb.DuckDBPyConnection, Path, str], None]:
    """The function that reads a file of this name."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        *names, last = _READERS
        raise UnreadableError(
            f"is not a {', '.join(names)} or {last} file; move it out of the folder"
        )
    if problem := not_regular(path):
        raise UnreadableError(problem)
    if not path.stat().st_size:
        raise UnreadableError("is empty; restore it or move it away")
    return reader


def _check_names(names: list[str]) -> None:
    """Raise UnreadableError where a column is missing or occurs twice."""
    if "sent_at" not in names or not {"sid", "uid"} & set(names):
        raise UnreadableError(
            "has no column sent_at, or neither sid nor uid; its first line must name the columns"
        )
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        raise UnreadableError(f"has the column {twice[0]} twice; remove one")


def _read_parquet(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    fields = {"position": "file_row_number + 1", **_parquet_columns(con, path)}
    _insert(con, name, fields, f"read_parquet({literal(str(path))}, file_row_number = true)")


def _parquet_columns(con: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """SQL that writes each of our columns as text."""
    try:
        described = con.execute(f"describe from read_parquet({literal(str(path))})").fetchall()
    except duckdb.Error as error:
        problem = "is not a readable Parquet file; write it again or move it away"
        raise UnreadableError(problem) from error
    columns = [(str(row[0]), str(row[1])) for row in described]
    names = [column.strip().lower() for column, _ in columns]
    _check_names(names)
    return {name: _text_of(*columns[names.index(name)]) for name in COLUMNS if name in names}


def _text_of(column: str, kind: str) -> str:
    """Write a column of Parquet as a text file would have it, digit for digit."""
    quoted = '"' + column.replace('"', '""') + '"'
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('UTC', {quoted})::varchar || 'Z'"
    if kind.startswith("TIMESTAMP"):
        return f"{quoted}::timestamp::varchar"
    return f"{quoted}::varchar"


def _read_csv(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    encoding = encoding_of(path)
    header, delimiter = _read_header(path, encoding)
    places = {column: header.index(column) for column in COLUMNS if column in header}
    if encoding == UTF_8 and is_unambiguous(path, quotes=True):
        fields = {"position": "row_number() over ()"}
        fields |= {column: f"c{place}" for column, place in places.items()}
        columns = [f"c{place}" for place in range(len(header))]
        options = f"{_CSV}, delim = {literal(delimiter)}"
        try:
            _insert(con, name, fields, _text(path, columns, options))
        except duckdb.Error:
            # quotes out of place, or rows of another length: Python names them one by one
            pass
        else:
            return
    with path.open(encoding=encoding, newline="") as file:
        csv.field_size_limit(_MOST_FIELD)
        records = (record for record in csv.reader(file, delimiter=delimiter) if record)
        next(records)
        rows = (_fields(record, len(header), places, delimiter) for record in records)
        _add(con, name, ((position, *row) for position, row in enumerate(rows, start=1)))


def _read_header(path: Path, encoding: str) -> tuple[list[str], str]:
    """Names of the columns, trimmed and in lower case, and the delimiter between them."""
    with path.open(encoding=encoding, newline="") as file:
        head = file.read(_MOST_HEADER)
    headers = []
    for delimiter in _DELIMITERS:
        records = csv.reader(io.StringIO(head), delimiter=delimiter)
        names = next((record for record in records if record), [])
        headers.append(([name.strip().lower() for name in names], delimiter))
    header, delimiter = next((each for each in headers if "sent_at" in each[0]), headers[0])
    _check_names(header)
    return header, delimiter


def _fields(record: list[str], width: int, places: dict[str, int], delimiter: str) -> Fields:
    """A row of another length is kept whole, except for surplus fields that are empty."""
    if len(record) < width or any(record[width:]):
        return (delimiter.join(record), *(None for _ in COLUMNS))
    return (None, *(record[places[name]] if name in places else None for name in COLUMNS))


def _read_json_lines(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    encoding = encoding_of(path)
    if encoding != UTF_8 or not is_unambiguous(path, quotes=False):
        with path.open(encoding=encoding) as file:
            lines = enumerate((line for line in file if line.strip(_BLANK)), start=1)
            _add(con, name, ((position, *_json_fields(line)) for position, line in lines))
        return
    con.execute(f"create or replace temp view send_lines as from {_text(path, ['line'], _LINES)}")
    models.run_temporary(con, ("json_sends",))
    fields = {column: f"fields.{column}" for column in ("position", *COLUMNS)}
    _insert(con, name, fields | {"position": "position"}, "json_sends where fields is not null")
    unusual = con.execute("select position, line from json_sends where fields is null").fetchall()
    _add(con, name, ((position, *_json_fields(line)) for position, line in unusual))
    con.execute("drop table json_sends")


def _json_fields(line: str) -> Fields:
    parsed = parse(line.strip(_BLANK))
    if parsed is None or not isinstance(parsed[0], dict):
        return (line.strip(_BLANK), *(None for _ in COLUMNS))
    return (None, *(as_text(parsed[0].get(column)) for column in COLUMNS))


def _text(path: Path, columns: list[str], options: str) -> str:
    """SQL that reads a text file with nothing left to the reader's guess."""
    types = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
    return (
        f"read_csv({literal(str(path))}, columns = {{{types}}}, auto_detect = false, "
        f"nullstr = '', comment = '', compression = 'none', {options})"
    )


def _insert(
    con: duckdb.DuckDBPyConnection, name: str, fields: dict[str, str], relation: str
) -> None:
    """Add the rows of a relation, with a SQL expression for each column."""
    chosen = ", ".join(f"{text} as {column}" for column, text in fields.items())
    con.execute(
        f"insert into send_rows by name select {literal(name)} as file, {chosen} from {relation}"
    )


def _add(
    con: duckdb.DuckDBPyConnection, name: str, rows: Iterator[tuple[int | str | None, ...]]
) -> None:
    """Add rows of Python, each with its position first, some at a time."""
    while batch := [(name, *row) for row in islice(rows, _ROWS_AT_ONCE)]:
        hand_over(con, "more_rows", batch, "send_rows")
        con.execute("insert into send_rows from more_rows")


_READERS = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), _read_csv),
    **dict.fromkeys((".jsonl", ".ndjson"), _read_json_lines),
    ".parquet": _read_parquet,
}
