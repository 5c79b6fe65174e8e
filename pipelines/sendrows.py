"""One file of the send log to rows of text; what they mean is judged in SQL.

What is plain DuckDB reads by itself; what is not (GB18030, broken quotes, rows of another length)
is read by Python. Either way the rows end up in the temporary table ``send_rows``: five columns
of text as they stand there, or the text of the ``whole`` row where it is none.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import duckdb
import pandas as pd

from pipelines.jsontext import as_text, parse
from pipelines.models import literal
from pipelines.sendbytes import encoding_of, is_plain

COLUMNS = ("sid", "uid", "sent_at", "tag", "mobile")
_DELIMITERS = ",;\t"
_MOST_FIELD = 1 << 24
_MOST_HEADER = 1 << 16
_CHUNK = 100_000
_BLANK = " \t\r\n"

# JSON that DuckDB would rewrite, or reads though it is none
_ODD_JSON = r"\\|:\s*(?:[\[{]|-?[0-9]+[.eE]|-?[nN][aA]|-?[iI]|-0)|,\s*[\]}]"

Row = tuple[str | None, ...]


class UnreadableError(ValueError):
    """A file no row can be taken from; the message goes on from its name."""


def read_rows(con: duckdb.DuckDBPyConnection, folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Fill ``send_rows`` from the named files; returns what is wrong with those that cannot be."""
    columns = ", ".join(f"{name} varchar" for name in COLUMNS)
    con.execute(
        f"create or replace temp table send_rows "
        f"(file varchar, position bigint, whole varchar, {columns})"
    )
    problems = {}
    for name in names:
        try:
            read_file(con, folder / name, name)
        except UnreadableError as error:
            problems[name] = str(error)
        except (OSError, ValueError, duckdb.Error) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            problems[name] = f"cannot be read ({reason}); mend it or move it away"
    return problems


def check_file(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raise UnreadableError or OSError where no row can be taken from a file; cheap."""
    _checked(path)
    with path.open("rb"):
        pass
    if path.suffix.lower() == ".parquet":
        _parquet_columns(con, path)
    elif path.suffix.lower() in _CSV:
        _header(path, _encoding(path))
    else:
        _encoding(path)


def read_file(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Add the rows of one file. Raises UnreadableError, OSError."""
    _checked(path)(con, path, name)


def _checked(path: Path) -> Callable[[duckdb.DuckDBPyConnection, Path, str], None]:
    """What reads a file of this name."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None or (path.exists() and not path.is_file()):
        raise UnreadableError(
            "is no .csv, .tsv, .txt, .jsonl, .ndjson or .parquet file; move it out of the folder"
        )
    if not path.stat().st_size:
        raise UnreadableError("is empty; restore it or move it away")
    return reader


def _read_csv(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    encoding = _encoding(path)
    header, delimiter = _header(path, encoding)
    places = {column: header.index(column) for column in COLUMNS if column in header}
    if encoding == "utf-8-sig" and is_plain(path, quotes=True):
        try:
            _insert(con, name, _plain_csv(path, len(header), delimiter), places)
        except duckdb.Error:
            # quotes out of place, or rows of another length: Python names them one by one
            pass
        else:
            return
    with path.open(encoding=encoding, newline="") as file:
        csv.field_size_limit(_MOST_FIELD)
        records = (one for one in csv.reader(file, delimiter=delimiter) if one)
        next(records)
        _hand_over(con, name, (_row(one, len(header), places, delimiter) for one in records))


def _plain_csv(path: Path, width: int, delimiter: str) -> str:
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(width))
    return f"""
        read_csv(
            {literal(str(path))}, columns = {{{columns}}}, header = true, auto_detect = false,
            delim = {literal(delimiter)}, quote = '"', escape = '"', nullstr = '', comment = '',
            strict_mode = true, compression = 'none'
        )
    """


def _insert(con: duckdb.DuckDBPyConnection, name: str, rows: str, places: dict[str, int]) -> None:
    fields = ", ".join(f"c{place} as {column}" for column, place in places.items())
    con.execute(
        f"insert into send_rows by name "
        f"select {literal(name)} as file, row_number() over () as position, {fields} from {rows}"
    )


def _header(path: Path, encoding: str) -> tuple[list[str], str]:
    """Names of the columns, trimmed and in lower case, and what stands between them."""
    with path.open(encoding=encoding, newline="") as file:
        head = file.read(_MOST_HEADER)
    found = []
    for delimiter in _DELIMITERS:
        names = next((one for one in csv.reader(io.StringIO(head), delimiter=delimiter) if one), [])
        found.append(([name.strip().lower() for name in names], delimiter))
    header, delimiter = next((one for one in found if "sent_at" in one[0]), found[0])
    check_names(header)
    return header, delimiter


def check_names(names: list[str]) -> None:
    """Raise UnreadableError where columns are missing or stand there twice."""
    if "sent_at" not in names or not {"sid", "uid"} & set(names):
        raise UnreadableError(
            "has no column sent_at, or neither sid nor uid; its first line must name the columns"
        )
    twice = [name for name in COLUMNS if names.count(name) > 1]
    if twice:
        raise UnreadableError(f"has the column {twice[0]} twice; leave one out")


def _row(record: list[str], width: int, places: dict[str, int], delimiter: str) -> Row:
    """Whole text of a row that is none, and its five fields; empty ones at the end are surplus."""
    if len(record) < width or any(record[width:]):
        return (delimiter.join(record), *(None for _ in COLUMNS))
    return (None, *(record[places[name]] if name in places else None for name in COLUMNS))


def _read_lines(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    encoding = _encoding(path)
    if encoding == "utf-8-sig" and is_plain(path, quotes=False):
        _plain_lines(con, path, name)
        return
    with path.open(encoding=encoding, newline=None) as file:
        _hand_over(con, name, (_json_row(line) for line in file if line.strip(_BLANK)))


def _plain_lines(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Lines by DuckDB, as far as each can be read in one way only; the others by Python."""
    fields = ", ".join(f'"{column}": "VARCHAR"' for column in COLUMNS)
    con.execute(
        f"""
        create or replace temp table json_lines as
        with text as (
            select line, row_number() over () as position
            from read_csv(
                {literal(str(path))}, columns = {{'line': 'VARCHAR'}}, header = false,
                auto_detect = false, delim = '\x01', quote = '', escape = '', nullstr = '',
                comment = '', strict_mode = false, compression = 'none',
                max_line_size = {_MOST_FIELD}
            )
            where trim(line, ' \t') <> ''
        )
        select
            line, position,
            case
                when starts_with(trim(line, ' \t'), '{{')
                    and not regexp_matches(line, {literal(_ODD_JSON)})
                then try(from_json(line, '{{{fields}}}'))
            end as fields
        from text
        """
    )
    columns = ", ".join(f"fields.{column}" for column in COLUMNS)
    con.execute(
        f"insert into send_rows select {literal(name)}, position, null, {columns} "
        f"from json_lines where fields is not null"
    )
    odd = con.execute("select position, line from json_lines where fields is null").fetchall()
    _store(con, name, [(position, *_json_row(line)) for position, line in odd])
    con.execute("drop table json_lines")


def _json_row(line: str) -> Row:
    parsed = parse(line.strip(_BLANK))
    if parsed is None or not isinstance(parsed[0], dict):
        return (line.strip(_BLANK), *(None for _ in COLUMNS))
    return (None, *(as_text(parsed[0].get(column)) for column in COLUMNS))


def _read_parquet(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    fields = ", ".join(
        f"{text} as {column}" for column, text in _parquet_columns(con, path).items()
    )
    con.execute(
        f"insert into send_rows by name select {literal(name)} as file, "
        f"file_row_number + 1 as position, {fields} "
        f"from read_parquet({literal(str(path))}, file_row_number = true)"
    )


def _parquet_columns(con: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """SQL that writes each of our columns as text."""
    try:
        described = con.execute(f"describe from read_parquet({literal(str(path))})").fetchall()
    except duckdb.Error as error:
        raise UnreadableError(
            "is no Parquet that can be read; write it again or move it away"
        ) from error
    found = [(str(row[0]), str(row[1])) for row in described]
    names = [column.strip().lower() for column, _ in found]
    check_names(names)
    return {name: _text_of(*found[names.index(name)]) for name in COLUMNS if name in names}


def _text_of(column: str, kind: str) -> str:
    """Write a column of Parquet as a text file would have it, digit for digit."""
    quoted = '"' + column.replace('"', '""') + '"'
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('UTC', {quoted})::varchar || 'Z'"
    if kind.startswith("TIMESTAMP"):
        return f"{quoted}::timestamp::varchar"
    return f"{quoted}::varchar"


_CSV = (".csv", ".tsv", ".txt")
_READERS = dict.fromkeys(_CSV, _read_csv)
_READERS |= dict.fromkeys((".jsonl", ".ndjson"), _read_lines)
_READERS |= {".parquet": _read_parquet}


def _encoding(path: Path) -> str:
    encoding = encoding_of(path)
    if encoding is None:
        raise UnreadableError("is neither UTF-8 nor GB18030; save it again as UTF-8")
    return encoding


def _hand_over(con: duckdb.DuckDBPyConnection, name: str, rows: Iterator[Row]) -> None:
    """Rows in order to ``send_rows``, a chunk at a time."""
    part: list[Row] = []
    for position, row in enumerate(rows, start=1):
        part.append((str(position), *row))
        if len(part) == _CHUNK:
            _store(con, name, part)
            part = []
    _store(con, name, part)


def _store(con: duckdb.DuckDBPyConnection, name: str, rows: list[Row]) -> None:
    if not rows:
        return
    frame = pd.DataFrame(rows, columns=["position", "whole", *COLUMNS], dtype="string")
    con.register("odd_rows", frame)
    con.execute(f"insert into send_rows by name select {literal(name)} as file, * from odd_rows")
    con.unregister("odd_rows")
