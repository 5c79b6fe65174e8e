"""Files of the send log: which there are, which of them are new, and how one is brought in.

    $DLR_DATA/sends/
      20261123T061500Z-0f3a9c1b22d4-orders.csv    as `dlr sends import` names it: when, digest, name
      2026/campaign.parquet                       any other name or folder does as well

A file is complete when it is visible; hidden ones are still being written.
"""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path

import duckdb

from contract.settings import Settings
from pipelines.folder.files import replace_file, sync
from pipelines.landing.inventory import Admission, LandedFile
from pipelines.models.digests import SENDS, digests_now

_DIGITS = 12
"""Of the digest, in a name."""


@dataclass(frozen=True, slots=True)
class SendFile(LandedFile):
    """One file of the send log; its name is the path below the folder."""


def list_sends(folder: Path) -> list[SendFile]:
    """All files of the send log in order of their names."""
    return sorted(_walk(folder, ""), key=lambda file: file.name)


def _walk(folder: Path, prefix: str) -> Iterator[SendFile]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    except OSError:
        # reported as a file that cannot be read: a person must look
        yield SendFile(prefix.rstrip("/") or ".", 0, 0)
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(folder / entry.name, f"{prefix}{entry.name}/")
        else:
            info = entry.stat(follow_symlinks=entry.is_file())
            yield SendFile(f"{prefix}{entry.name}", info.st_size, info.st_mtime_ns)


def pending_sends(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[SendFile]:
    """Files that were never read, have changed since, or would be read in another way today."""
    rows = con.execute("select file, bytes, changed_ns, reader from ops.send_files").fetchall()
    readers = digests_now(con).accepted(SENDS)
    known = {name: stamp for name, *stamp, reader in rows if reader in readers}
    return [
        file
        for file in list_sends(settings.sends)
        if known.get(file.name) != [file.size, file.changed_ns]
    ]


def admit_sends(folder: Path, files: list[SendFile]) -> list[Admission]:
    """Read every file once for its digest; what cannot be read is named."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda file: _admit(folder, file), files))


def _admit(folder: Path, file: SendFile) -> Admission:
    try:
        with (folder / file.name).open("rb") as opened:
            return Admission(file, file_digest(opened, "sha256").hexdigest(), None)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Admission(file, None, f"cannot be read ({reason}); mend it or move it away")


def bring_in(settings: Settings, source: Path) -> Path | None:
    """Copy a file into the folder, durably; None where one with the same bytes came that way.

    Raises OSError where the file cannot be read or the copy not be written.
    """
    with source.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()[:_DIGITS]
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
