"""Of which version the data folder is, and how one of an earlier version becomes one of today's.

    $DLR_DATA/format    number of the format; a folder with a warehouse and without it has format 1

    1   the commits up to 19e135e
    2   tables know by what they were computed (``ops.models``, ``ops.decoded_days``)

Landed files are the same in every format. Who opens the warehouse to write brings the folder up to
date; what then has to be computed again, the next run does.
"""

from pathlib import Path

from contract.settings import Settings
from pipelines.folder.files import replace_file
from pipelines.folder.lock import WarehouseError

FORMAT = 2


class FolderFormatError(WarehouseError):
    """The data folder is of another version than this program; the message says what to type."""


def expect_current(settings: Settings) -> None:
    """Raise FolderFormatError where the data folder is of an earlier or a later version."""
    expect_known(settings)
    if is_outdated(settings):
        raise FolderFormatError(
            f"{settings.data.absolute()} is of an earlier version (format {_format(settings)}, "
            f"this one is {FORMAT}); `dlr run` brings it up to date."
        )


def expect_known(settings: Settings) -> None:
    """Raise FolderFormatError where the data folder is of a later version."""
    if _format(settings) > FORMAT:
        raise FolderFormatError(
            f"{settings.data.absolute()} is of a later version (format {_format(settings)}, this "
            f"one knows up to {FORMAT}); install the version that made it."
        )


def is_outdated(settings: Settings) -> bool:
    """Whether the data folder is of an earlier version."""
    return _format(settings) < FORMAT


def _format(settings: Settings) -> int:
    try:
        return int(_file(settings).read_text(encoding="ascii"))
    except FileNotFoundError:
        has_tables = (settings.data.absolute() / "warehouse.duckdb").exists()
        return 1 if has_tables else FORMAT
    except ValueError as error:
        raise FolderFormatError(
            f"{_file(settings)} holds no number of a format; if the folder is of this version, "
            f"write {FORMAT} into it."
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
