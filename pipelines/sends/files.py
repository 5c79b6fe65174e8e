"""Files of the send log: which there are, which of them are pending, and how one is imported.

    $DLR_DATA/sends/
      20261123T061500Z-0f3a9c1b22d4-orders.csv    as `dlr sends import` names it: when, digest, name
      2026/campaign.parquet                       any other name or folder works as well

A file is complete when it is visible; hidden ones are still being written.
"""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import duckdb

from contract.settings import Settings
from pipelines.folder.files import replace_file, sha256_of, sync
from pipelines.landing.inventory import LandedFile, files_of, walk
from pipelines.landing.registry import SEND_FILES, pending, registered
from pipelines.models.digests import SENDS, digests_now

_DIGITS = 12
"""Of the digest, in a name."""


@dataclass(frozen=True, slots=True)
class SendFile(LandedFile):
    """One file of the send log; its name is the path below the folder."""

    FOLLOWS_LINKS: ClassVar[bool] = True


def list_sends(folder: Path) -> list[SendFile]:
    """All files of the send log in order of their names."""
    return sorted(files_of(walk(folder), SendFile), key=lambda file: file.name)


def pending_sends(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[SendFile]:
    """Files that were never read, have changed since, or would be read differently today."""
    known = registered(con, SEND_FILES, "bytes, changed_ns, reader")
    return pending(list_sends(settings.sends), known, digests_now(con).accepted(SENDS))


def bring_in(settings: Settings, source: Path) -> Path | None:
    """Copy a file into the folder, durably; None where one with the same bytes came that way.

    Raises OSError where the file cannot be read or the copy not be written.
    """
    digest = sha256_of(source)[:_DIGITS]
    settings.sends.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(digest in file.name.split("-") for file in list_sends(settings.sends)):
        return None
    target = settings.sends / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{digest}-{source.name}"
    aside = target.with_name(f".{target.name}")
    shutil.copyfile(source, aside)
    aside.chmod(0o600)
    replace_file(aside, target)
    sync(settings.data.absolute())
    return target
