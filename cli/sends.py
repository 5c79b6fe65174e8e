"""`dlr sends import`: bring files of the send log into the data folder."""

import argparse
from pathlib import Path

import duckdb

from cli.instance import CommandError, private_files
from contract.settings import Settings, load_settings
from pipelines.sends.files import bring_in
from pipelines.sends.rows import check_file
from pipelines.sends.text import UnreadableError


def add_options(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which files."""
    parser.add_argument("action", choices=("import",), help="copy files into $DLR_DATA/sends")
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="CSV, JSON Lines, Parquet"
    )


def run(arguments: argparse.Namespace) -> int:
    """Copy every file, or none where one cannot be read."""
    private_files()
    settings = load_settings()
    for path in arguments.files:
        _check(path)
    for path in arguments.files:
        print(_bring_in(settings, path))
    print("The next run takes them: `dlr run`, or the sensor of `dlr up`.")
    return 0


def _check(path: Path) -> None:
    try:
        with duckdb.connect() as con:
            check_file(con, path)
    except UnreadableError as error:
        raise CommandError(f"{path} {error}. Nothing was imported.") from error
    except OSError as error:
        raise CommandError(
            f"{path} cannot be read: {error.strerror}. Nothing was imported."
        ) from error


def _bring_in(settings: Settings, path: Path) -> str:
    target = bring_in(settings, path)
    return f"{path}: imported as {target.name}." if target else f"{path}: was imported before."
