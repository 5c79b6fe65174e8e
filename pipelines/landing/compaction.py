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
from hashlib import sha256
from pathlib import Path

import duckdb

from contract.progress import Progress, silent
from contract.settings import Settings
from pipelines.folder.files import sync
from pipelines.folder.lock import PATIENCE_S
from pipelines.landing.admission import Admission, admit
from pipelines.landing.closed_partitions import take_inventory
from pipelines.landing.inventory import LandedFile, Partition
from pipelines.landing.members import SUFFIX, can_be_member, intact_members, write_member
from pipelines.landing.registry import forget_originals, register_compaction
from pipelines.models.warehouse import open_warehouse

_TIME = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL

Contents = list[tuple[str | None, str | None]]
"""Name and digest of each member of a compacted file."""


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
        inventory = take_inventory(con, settings.landing, everything=True)
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
    contents = [_name_and_digest(original) for original in originals]
    hidden, container = _write(landing / partition.name, contents)
    if container.exists() or _contents(hidden) != contents:
        hidden.unlink()
        report.differing.append(f"{partition.name}/{container.name}")
        return
    hidden.rename(container)
    sync(container.parent)
    info = container.stat()
    name = f"{partition.name}/{container.name}"
    [admission] = admit(landing, [LandedFile(name, info.st_size, info.st_mtime_ns)])
    files = [original.file for original in originals]
    register_compaction(con, admission, files)
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
    there = {file.name: file for file in partition.files}
    copies: dict[str, list[LandedFile]] = {}
    for name, container in rows:
        if {name, container} <= there.keys() and name != container:
            copies.setdefault(container, []).append(there[name])
    doubled = []
    for container, files in copies.items():
        held = set(_contents(landing / container))
        admissions = admit(landing, files)
        doubled += [each.file.name for each in admissions if _name_and_digest(each) in held]
    if doubled:
        forget_originals(con, doubled)
        _delete(landing, doubled)


def _originals(
    con: duckdb.DuckDBPyConnection, landing: Path, partition: Partition, report: Compaction
) -> Iterator[Admission]:
    """Files that can go into a compacted one: taken whole, unchanged, ended by a newline."""
    rows = con.execute(
        "select file, sha256 from ops.files where state = 'taken' and landing_day = ?",
        [partition.day],
    ).fetchall()
    taken: dict[str, str] = dict(rows)
    files = []
    for file in partition.files:
        parent, _, base = file.name.rpartition("/")
        if file.name in taken and parent == partition.name and can_be_member(base):
            files.append(file)
    for admission in admit(landing, sorted(files, key=lambda file: file.name)):
        name = admission.file.name
        if admission.sha256 != taken[name]:
            report.differing.append(name)
        elif _ends_with_newline(landing / name):
            yield admission


def _name_and_digest(admission: Admission) -> tuple[str | None, str | None]:
    return admission.file.name.rpartition("/")[2], admission.sha256


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _write(folder: Path, contents: Contents) -> tuple[Path, Path]:
    """Write the compacted file under a hidden name, synced; returns that and its final path.

    The name follows from the content.
    """
    text = "\n".join(f"{name} {digest}" for name, digest in contents)
    unique = sha256(text.encode()).hexdigest()[:8]
    names = [str(name) for name, _ in contents]
    time = _TIME.match(names[0])
    stem = time[0] if time else f"{folder.name.replace('-', '')}T000000.000000Z"
    hidden = folder / f".{stem}-compacted-{unique}.part"
    with os.fdopen(os.open(hidden, _NEW, 0o600), "wb") as target:
        for name in names:
            with (folder / name).open("rb") as source:
                write_member(name, source, target)
        target.flush()
        os.fsync(target.fileno())
    return hidden, folder / f"{stem}-compacted-{unique}{SUFFIX}"


def _contents(container: Path) -> Contents:
    """Name and digest of every intact member."""
    with container.open("rb") as file:
        members, _ = intact_members(file)
    return [(member.name, member.sha256) for member in members]


def _delete(landing: Path, names: list[str]) -> None:
    for name in names:
        (landing / name).unlink()
    for folder in {(landing / name).parent for name in names}:
        sync(folder)
