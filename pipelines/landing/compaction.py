"""The landed files of a finished day become one compressed file, byte for byte.

    landing/yunpian/2026-11-23/
      20261123T061500.123456Z-….jsonl               before: thousands of these
      .20261123T061500.123456Z-compacted-….part     while it is written
      20261123T061500.123456Z-compacted-….jsonl.gz  after: one, a gzip member for each original

In this order: written and synced under a hidden name; read again and compared with the digests the
originals were taken in with; renamed; registered; the originals deleted. If the process is killed
at any point, the originals or the compacted file are there, or both, and both together are the
same pushes once.
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

from contract.progress import Progress, silent
from contract.settings import Settings
from pipelines.folder.files import sync
from pipelines.folder.lock import PATIENCE_S
from pipelines.landing.admission import Admission
from pipelines.landing.closed_partitions import full_inventory
from pipelines.landing.inventory import LandedFile, Partition
from pipelines.landing.members import SUFFIX, can_be_member, intact_members, write_member
from pipelines.landing.registry import forget_originals, register_compaction
from pipelines.models.warehouse import open_warehouse

_TIME = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


@dataclass(slots=True)
class Compaction:
    """What a compaction did."""

    days: int = 0
    """Days in which files were compacted."""
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
        return _base(self.file.name)


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def compact(
    settings: Settings,
    before: date,
    on_progress: Progress = silent,
    patience_s: float = PATIENCE_S,
) -> Compaction:
    """Compact the files of every landing day before a date (UTC).

    ``on_progress`` hears how many bytes of how many are done. Raises WarehouseBusyError where a
    run takes longer than ``patience_s``.
    """
    report = Compaction()
    with open_warehouse(settings, patience_s=patience_s) as con:
        inventory = full_inventory(con, settings.landing)
        partitions = [each for each in inventory.listing.partitions if each.day < before]
        pending = {file.name.rpartition("/")[0] for file in inventory.pending}
        total = sum(map(_bytes_to_compact, partitions))
        seen = 0
        for partition in partitions:
            if partition.name in pending:
                report.waiting.append(partition.name)
            else:
                _compact_day(con, settings.landing, partition, report)
            seen += _bytes_to_compact(partition)
            on_progress(seen, total)
    return report


def _bytes_to_compact(partition: Partition) -> int:
    return sum(file.size for file in partition.files if not file.compressed)


def _compact_day(
    con: duckdb.DuckDBPyConnection, landing: Path, partition: Partition, report: Compaction
) -> None:
    for left_over in (landing / partition.name).glob(".*-compacted-*.part"):
        left_over.unlink()
    _delete_compacted(con, landing, partition)
    originals = list(_originals(con, landing, partition, report))
    if not originals:
        return
    hidden, container = _write(landing / partition.name, originals)
    if container.exists() or _contents(hidden) != [(each.base, each.sha256) for each in originals]:
        hidden.unlink()
        report.differing.append(f"{partition.name}/{container.name}")
        return
    hidden.rename(container)
    sync(container.parent)
    info = container.stat()
    name = f"{partition.name}/{container.name}"
    file = LandedFile(name, info.st_size, info.st_mtime_ns)
    files = [original.file for original in originals]
    register_compaction(con, Admission(file, _digest(container), None), files)
    _delete(landing, [file.name for file in files])
    report.days += 1
    report.files += len(files)
    report.bytes_before += sum(file.size for file in files)
    report.bytes_after += info.st_size


def _delete_compacted(con: duckdb.DuckDBPyConnection, landing: Path, partition: Partition) -> None:
    """Delete files that a compacted one holds: left by a killed process, or from a backup.

    Only the compacted file's bytes prove that it holds them, not the registry.
    """
    rows = con.execute(
        "select file, container from ops.compacted_files where landing_day = ?", [partition.day]
    ).fetchall()
    there = {file.name for file in partition.files}
    held: dict[str, set[tuple[str | None, str]]] = {}
    doubled = []
    for name, container in rows:
        if {name, container} <= there and name != container:
            if container not in held:
                held[container] = set(_contents(landing / container))
            if (_base(name), _digest(landing / name)) in held[container]:
                doubled.append(name)
    if doubled:
        forget_originals(con, doubled)
        _delete(landing, doubled)


def _originals(
    con: duckdb.DuckDBPyConnection, landing: Path, partition: Partition, report: Compaction
) -> Iterator[_Original]:
    """Files that can go into a compacted one: taken whole, unchanged, ended by a newline."""
    rows = con.execute(
        "select file, sha256 from ops.files where state = 'taken' and landing_day = ?",
        [partition.day],
    ).fetchall()
    taken: dict[str, str] = dict(rows)
    for file in sorted(partition.files, key=lambda file: file.name):
        parent, _, base = file.name.rpartition("/")
        fits = parent == partition.name and not file.compressed and can_be_member(base)
        digest = taken.get(file.name)
        if digest is None or not fits:
            continue
        if _digest(landing / file.name) != digest:
            report.differing.append(file.name)
        elif _ends_with_newline(landing / file.name):
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
    """Write the compacted file under a hidden name, synced; returns that and its final path.

    The name follows from the content.
    """
    text = "\n".join(f"{each.base} {each.sha256}" for each in originals)
    unique = sha256(text.encode()).hexdigest()[:8]
    time = _TIME.match(originals[0].base)
    stem = time[0] if time else f"{folder.name.replace('-', '')}T000000.000000Z"
    hidden = folder / f".{stem}-compacted-{unique}.part"
    with os.fdopen(os.open(hidden, _NEW, 0o600), "wb") as target:
        for original in originals:
            with (folder / original.base).open("rb") as source:
                write_member(original.base, source, target)
        target.flush()
        os.fsync(target.fileno())
    return hidden, folder / f"{stem}-compacted-{unique}{SUFFIX}"


def _contents(container: Path) -> list[tuple[str | None, str]]:
    """Name and digest of every intact member."""
    with container.open("rb") as file:
        members, _ = intact_members(file)
    return [(member.name, member.sha256) for member in members]


def _delete(landing: Path, names: list[str]) -> None:
    for name in names:
        (landing / name).unlink()
    for folder in {(landing / name).parent for name in names}:
        sync(folder)
