"""Text files of the send log to rows: CSV and JSON Lines.

What is plain DuckDB reads by itself; what is not (GB18030, broken quotes, rows of another length)
is read by Python.
"""

import csv
import io
from pathlib import Path

import duckdb

from pipelines.decode.json_text import as_text, parse
from pipelines.models import literal
from pipelines.sends.encoding import encoding_of, is_plain
from pipelines.sends.table import COLUMNS, Row, UnreadableError, check_names, hand_over, store

_DELIMITERS = ",;\t"
_BLANK = " \t\r\n"
_MOST_FIELD = 1 << 24
_MOST_HEADER = 1 << 16

# JSON that DuckDB would rewrite, or reads though it is none
_ODD_JSON = r"\\|:\s*(?:[\[{]|-?[0-9]+[.eE]|-?[nN][aA]|-?[iI]|-0)|,\s*[\]}]"


def read_csv_file(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Add the rows of a CSV file. Raises UnreadableError, OSError, csv.Error."""
    found = encoding(path)
    header, delimiter = read_header(path, found)
    places = {column: header.index(column) for column in COLUMNS if column in header}
    if found == "utf-8-sig" and is_plain(path, quotes=True):
        try:
            _insert(con, name, _plain_csv(path, len(header), delimiter), places)
        except duckdb.Error:
            # quotes out of place, or rows of another length: Python names them one by one
            pass
        else:
            return
    with path.open(encoding=found, newline="") as file:
        csv.field_size_limit(_MOST_FIELD)
        records = (one for one in csv.reader(file, delimiter=delimiter) if one)
        next(records)
        hand_over(con, name, (_row(one, len(header), places, delimiter) for one in records))


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


def read_header(path: Path, coding: str) -> tuple[list[str], str]:
    """Names of the columns, trimmed and in lower case, and what stands between them."""
    with path.open(encoding=coding, newline="") as file:
        head = file.read(_MOST_HEADER)
    found = []
    for delimiter in _DELIMITERS:
        names = next((one for one in csv.reader(io.StringIO(head), delimiter=delimiter) if one), [])
        found.append(([name.strip().lower() for name in names], delimiter))
    header, delimiter = next((one for one in found if "sent_at" in one[0]), found[0])
    check_names(header)
    return header, delimiter


def _row(record: list[str], width: int, places: dict[str, int], delimiter: str) -> Row:
    """Whole text of a row that is none, and its five fields; empty ones at the end are surplus."""
    if len(record) < width or any(record[width:]):
        return (delimiter.join(record), *(None for _ in COLUMNS))
    return (None, *(record[places[name]] if name in places else None for name in COLUMNS))


def read_json_lines(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Add the rows of a file with one JSON object a line. Raises UnreadableError, OSError."""
    found = encoding(path)
    if found == "utf-8-sig" and is_plain(path, quotes=False):
        _plain_lines(con, path, name)
        return
    with path.open(encoding=found, newline=None) as file:
        hand_over(con, name, (_json_row(line) for line in file if line.strip(_BLANK)))


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
    store(con, name, [(position, *_json_row(line)) for position, line in odd])
    con.execute("drop table json_lines")


def _json_row(line: str) -> Row:
    parsed = parse(line.strip(_BLANK))
    if parsed is None or not isinstance(parsed[0], dict):
        return (line.strip(_BLANK), *(None for _ in COLUMNS))
    return (None, *(as_text(parsed[0].get(column)) for column in COLUMNS))


def encoding(path: Path) -> str:
    """How a text file is encoded; raises UnreadableError where it is neither way."""
    found = encoding_of(path)
    if found is None:
        raise UnreadableError("is neither UTF-8 nor GB18030; save it again as UTF-8")
    return found
