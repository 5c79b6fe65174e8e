"""Finished landing days put together: the files of a day into one, compressed, byte for byte.

    landing/yunpian/2026-11-23/
      20261123T061500.123456Z-….jsonl               before: thousands of these
      .20261123T061500.123456Z-compacted-….part     while it is written
      20261123T061500.123456Z-compacted-….jsonl.gz  after: one, a gzip member for each original

For each day, in this order: written and synced under a hidden name; read again and compared with
the digests the originals were taken in with; renamed; noted; the originals deleted. Killed
anywhere, the originals or the compacted file are there, or both, and both together are the same
pushes once.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import file_digest, sha256
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd

from contract.progress import Progress, silent
from contract.settings import Settings
from pipelines.folder.files import sync
from pipelines.folder.lock import PATIENCE_S
from pipelines.landing.closed_days import survey_all
from pipelines.landing.inventory import Folder, LandedFile
from pipelines.landing.members import (
    SUFFIX,
    can_be_member,
    read_members,
    sound_members,
    write_member,
)
from pipelines.models.warehouse import open_warehouse, transaction

_TIME = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


@dataclass(slots=True)
class Compaction:
    """What a compaction did."""

    days: int = 0
    """Days in which files were put together."""
    files: int = 0
    """Files that were."""
    bytes_before: int = 0
    """Their size."""
    bytes_after: int = 0
    """Size of the compacted files."""
    waiting: list[str] = field(default_factory=list)
    """Days left alone because something in them is pending."""
    differing: list[str] = field(default_factory=list)
    """Files left alone because their bytes are not those that were taken in."""


class _Original(NamedTuple):
    """A landed file as it was taken in."""

    file: LandedFile
    sha256: str

    @property
    def base(self) -> str:
        """Its name without its folder."""
        return self.file.name.rpartition("/")[2]


def compact(
    settings: Settings,
    before: date,
    on_progress: Progress = silent,
    patience_s: float = PATIENCE_S,
) -> Compaction:
    """Put together the files of every landing day before a date (UTC).

    ``on_progress`` hears how many bytes of how many are done. Raises WarehouseBusyError where a
    run is on for longer than ``patience_s``.
    """
    done = Compaction()
    with open_warehouse(settings, patience_s=patience_s) as con:
        looked = survey_all(con, settings.landing)
        folders = [one for one in looked.listing.folders if _day(one) < before]
        pending = {file.name.rpartition("/")[0] for file in looked.pending}
        total = sum(file.size for one in folders for file in one.files if not file.compressed)
        seen = 0
        for folder in folders:
            if folder.name in pending:
                done.waiting.append(folder.name)
            else:
                _compact_day(con, settings.landing, folder, done)
            seen += sum(file.size for file in folder.files if not file.compressed)
            on_progress(seen, total)
    return done


def _day(folder: Folder) -> date:
    return date.fromisoformat(folder.name.rpartition("/")[2])


def _compact_day(
    con: duckdb.DuckDBPyConnection, landing: Path, folder: Folder, done: Compaction
) -> None:
    for left_over in (landing / folder.name).glob(".*-compacted-*.part"):
        left_over.unlink()
    _delete_compacted(con, landing, folder)
    originals = list(_originals(con, landing, folder, done))
    if not originals:
        return
    hidden, container = _write(landing / folder.name, originals)
    if container.exists() or _contents(hidden) != [(one.base, one.sha256) for one in originals]:
        hidden.unlink()
        done.differing.append(f"{folder.name}/{container.name}")
        return
    hidden.rename(container)
    sync(container.parent)
    _note(con, landing, container, originals)
    _delete(landing, [one.file.name for one in originals])
    done.days += 1
    done.files += len(originals)
    done.bytes_before += sum(one.file.size for one in originals)
    done.bytes_after += container.stat().st_size


def _delete_compacted(con: duckdb.DuckDBPyConnection, landing: Path, folder: Folder) -> None:
    """Delete files that a compacted one holds: left by the killed, or restored from a backup.

    Whether it holds them its bytes say, not the books.
    """
    rows = con.execute(
        "select file, container from ops.compacted_files where landing_day = ?", [_day(folder)]
    ).fetchall()
    there = {file.name for file in folder.files}
    held: dict[str, set[tuple[str | None, str]]] = {}
    doubled = []
    for name, container in rows:
        if {name, container} <= there and name != container:
            if container not in held:
                held[container] = set(_contents(landing / container))
            if (Path(name).name, _digest(landing / name)) in held[container]:
                doubled.append(name)
    if doubled:
        _forget(con, doubled)
        _delete(landing, doubled)


def _forget(con: duckdb.DuckDBPyConnection, names: list[str]) -> None:
    """Take files out of the books that are in them by their compacted file already."""
    mine = "file in (select unnest(?::varchar[]))"
    with transaction(con):
        con.execute(
            f"""
            update ops.compacted_files as original
            set run_id = files.run_id
            from (select file, run_id from ops.files where {mine}) as files
            where original.file = files.file
            """,
            [names],
        )
        con.execute(f"delete from ops.files where {mine}", [names])


def _originals(
    con: duckdb.DuckDBPyConnection, landing: Path, folder: Folder, done: Compaction
) -> Iterator[_Original]:
    """Files that can go into a compacted one: taken whole, unchanged, ended by a newline."""
    rows = con.execute(
        "select file, sha256, state from ops.files where landing_day = ?", [_day(folder)]
    ).fetchall()
    known = {name: (digest, state) for name, digest, state in rows}
    for file in sorted(folder.files, key=lambda one: one.name):
        digest, state = known.get(file.name, (None, "new"))
        parent, _, base = file.name.rpartition("/")
        fits = parent == folder.name and not file.compressed and can_be_member(base)
        if digest is None or state != "taken" or not fits:
            continue
        path = landing / file.name
        if _digest(path) != digest:
            done.differing.append(file.name)
        elif _ends_with_newline(path):
            yield _Original(file, digest)


def _digest(path: Path) -> str | None:
    """Digest of a file; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _write(folder: Path, originals: list[_Original]) -> tuple[Path, Path]:
    """Write the compacted file under a hidden name, synced; returns that and the one it will have.

    The name follows from the content.
    """
    text = "\n".join(f"{one.base} {one.sha256}" for one in originals)
    unique = sha256(text.encode()).hexdigest()[:8]
    time = _TIME.match(originals[0].base)
    stem = time[0] if time else f"{folder.name.replace('-', '')}T000000.000000Z"
    hidden = folder / f".{stem}-compacted-{unique}.part"
    with os.fdopen(os.open(hidden, _NEW, 0o600), "wb") as target:
        for one in originals:
            with (folder / one.base).open("rb") as source:
                write_member(one.base, source, target)
        target.flush()
        os.fsync(target.fileno())
    return hidden, folder / f"{stem}-compacted-{unique}{SUFFIX}"


def _contents(container: Path) -> list[tuple[str | None, str]]:
    """Name and digest of every member that can be read to its end."""
    found: list[tuple[str | None, str]] = []
    digest, last = sha256(), None
    with container.open("rb") as file:
        sound, _ = sound_members(file)
        file.seek(0)
        for chunk in read_members(file, sound):
            if last is not None and chunk.member != last.member:
                found.append((last.name, digest.hexdigest()))
                digest = sha256()
            digest.update(chunk.data)
            last = chunk
    if last is not None:
        found.append((last.name, digest.hexdigest()))
    return found


def _note(
    con: duckdb.DuckDBPyConnection, landing: Path, container: Path, originals: list[_Original]
) -> None:
    """Let the compacted file stand for its originals in the books."""
    name = str(container.relative_to(landing))
    info = container.stat()
    rows, offset = [], 0
    for one in originals:
        rows.append({"file": one.file.name, "offset_bytes": offset})
        offset += one.file.size
    con.register("originals", pd.DataFrame(rows).astype({"file": "string"}))
    with transaction(con):
        con.execute(
            """
            delete from ops.compacted_files
            where file in (select file from originals)
            """
        )
        con.execute(
            """
            insert into ops.compacted_files by name
            select
                file, files.landing_day, ? as container, originals.offset_bytes, files.bytes,
                files.sha256, files.run_id
            from originals
            join ops.files as files using (file)
            """,
            [name],
        )
        con.execute(
            """
            insert into ops.files by name
            select
                ? as file, min(landing_day) as landing_day, ? as bytes, ? as changed_ns,
                ? as sha256, 0 as pushes, 'compacted' as state
            from ops.files
            where file in (select file from originals)
            """,
            [name, info.st_size, info.st_mtime_ns, _digest(container)],
        )
        con.execute("delete from ops.files where file in (select file from originals)")
    con.unregister("originals")


def _delete(landing: Path, names: list[str]) -> None:
    for name in names:
        (landing / name).unlink()
    for folder in {(landing / name).parent for name in names}:
        sync(folder)
