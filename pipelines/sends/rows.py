"""Files of the send log to rows of text, whatever their format; what they mean is judged in SQL."""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb

from pipelines.models import literal
from pipelines.sends.table import COLUMNS, UnreadableError, check_names, make_table
from pipelines.sends.text import encoding, read_csv_file, read_header, read_json_lines

__all__ = ["COLUMNS", "UnreadableError", "check_file", "read_rows"]


def read_rows(con: duckdb.DuckDBPyConnection, folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Fill ``send_rows`` from the named files; returns what is wrong with those that cannot be."""
    make_table(con)
    problems = {}
    for name in names:
        try:
            _checked(folder / name)(con, folder / name, name)
        except UnreadableError as error:
            problems[name] = str(error)
        except (OSError, ValueError, csv.Error, duckdb.Error) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            problems[name] = f"cannot be read ({reason}); mend it or move it away"
            con.execute("delete from send_rows where file = ?", [name])
    return problems


def check_file(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raise UnreadableError or OSError where no row can be taken from a file; cheap."""
    _checked(path)
    with path.open("rb"):
        pass
    if path.suffix.lower() == ".parquet":
        _parquet_columns(con, path)
    elif path.suffix.lower() in _CSV:
        read_header(path, encoding(path))
    else:
        encoding(path)


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
_READERS = dict.fromkeys(_CSV, read_csv_file)
_READERS |= dict.fromkeys((".jsonl", ".ndjson"), read_json_lines)
_READERS |= {".parquet": _read_parquet}
