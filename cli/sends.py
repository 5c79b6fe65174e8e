"""`dlr sends import`: copy files of the send log into the data folder."""

import argparse
from pathlib import Path

import duckdb

from cli.common import CommandError
from contract.settings import load_settings
from pipelines.sends.files import bring_in
from pipelines.sends.rows import check_file
from pipelines.sends.text import UnreadableError


def add_options(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which files."""
    parser.add_argument("action", choices=("import",), help="copy files into $DLR_DATA/sends")
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="CSV, JSON Lines or Parquet"
    )


def run(arguments: argparse.Namespace) -> int:
    """Copy all files, or none if one of them cannot be read."""
    settings = load_settings()
    for path in arguments.files:
        _check(path)
    for path in arguments.files:
        target = bring_in(settings, path)
        print(f"{path}: " + (f"imported as {target.name}." if target else "was imported before."))
    print("The next run loads them: `dlr run`, or the sensor of `dlr up`.")
    return 0


def _check(path: Path) -> None:
    try:
        with duckdb.connect() as con:
            check_file(con, path)
    except (UnreadableError, OSError) as error:
        problem = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else error
        raise CommandError(f"{path} {problem}. Nothing was imported.") from error
