"""The version of the data folder, and what an earlier version needs to become today's.

    $DLR_DATA/format    number of the format; a folder with a warehouse and without it has format 1

    1   the commits up to 19e135e
    2   tables know by what they were computed (``ops.models``, ``ops.decoded_days``)
    3   files that need action have the state ``quarantined``; it was ``set_apart``

Landed files are the same in every format. Opening the warehouse to write brings the folder up to
date; the next run computes again what is outdated then.
"""

from pathlib import Path

from contract.settings import Settings
from pipelines.folder.files import replace_file
from pipelines.folder.lock import WarehouseError

FORMAT = 3
OLDEST_READABLE = 2
"""Commands that only read take this one and later ones as they are."""


class FolderFormatError(WarehouseError):
    """The data folder is of another version than this program; the message says what to type."""


def expect(settings: Settings, oldest: int = OLDEST_READABLE) -> None:
    """Raise FolderFormatError where the data folder is of a later version, or before ``oldest``."""
    folder, number = settings.data.absolute(), format_of(settings)
    if number > FORMAT:
        raise FolderFormatError(
            f"{folder} is of a later version (format {number}, this one knows up to {FORMAT}); "
            "install the version that made it."
        )
    if number < oldest:
        raise FolderFormatError(
            f"{folder} is of an earlier version (format {number}, this one is {FORMAT}); "
            "`dlr run` brings it up to date."
        )


def is_outdated(settings: Settings) -> bool:
    """Whether the data folder is of an earlier version."""
    return format_of(settings) < FORMAT


def format_of(settings: Settings) -> int:
    """Number of the folder's format; today's where there is no warehouse yet."""
    try:
        return int(_file(settings).read_text(encoding="ascii"))
    except FileNotFoundError:
        has_tables = (settings.data.absolute() / "warehouse.duckdb").exists()
        return 1 if has_tables else FORMAT
    except ValueError as error:
        raise FolderFormatError(
            f"{_file(settings)} does not hold the number of a format; if the folder is of this "
            f"version, write {FORMAT} into it."
        ) from error


def _file(settings: Settings) -> Path:
    return settings.data.absolute() / "format"


def stamp(settings: Settings) -> None:
    """Let the data folder be of today's version; does nothing where it is."""
    if _file(settings).exists() and not is_outdated(settings):
        return
    new = _file(settings).with_name(".format")
    new.write_text(f"{FORMAT}\n", encoding="ascii")
    replace_file(new, _file(settings))
