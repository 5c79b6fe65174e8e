"""One compacted file: written, read again, shown, registered, and only then its parts deleted.

    landing/yunpian/2026-11-23/
      20261123T061500.123456Z-….jsonl               before: thousands of these
      .20261123T061500.123456Z-compacted-….part     while it is written
      20261123T061500.123456Z-compacted-….jsonl.gz  after: one, a gzip member for each original

A part is a landed file, which becomes a member, or an earlier compacted file, whose members are
copied as they are. If the process is killed at any point, the parts or the whole are there, or
both, and both together are the same pushes once.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import duckdb

from pipelines.folder.files import sync
from pipelines.landing.admission import Admission, admit
from pipelines.landing.inventory import LandedFile
from pipelines.landing.members import SUFFIX, DamagedGzipError, members_of, write_member
from pipelines.landing.registry import register_compaction

_TIME = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_BLOCK_BYTES = 1 << 20

Seal = tuple[str | None, str | None]
"""Name and digest of a member."""


def combine(
    con: duckdb.DuckDBPyConnection, landing: Path, parts: Sequence[Admission]
) -> Admission | str:
    """Make one compacted file of the parts, which lie in one folder, in their order.

    Returns that file, or the name of one that does not hold what it should: then nothing has
    changed. Raises OSError.
    """
    folder = (landing / parts[0].file.name).parent
    stem = _stem(parts)
    hidden, container = folder / f".{stem}.part", folder / f"{stem}{SUFFIX}"
    name = f"{parts[0].file.name.rpartition('/')[0]}/{container.name}"
    # a process that was killed may have come this far
    is_there = container.exists()
    if not is_there:
        _write(landing, parts, hidden)
    expected = (_seals(con, part) for part in parts)
    starts = _starts(container if is_there else hidden, expected)
    if starts is None:
        hidden.unlink(missing_ok=True)
        return name
    if not is_there:
        hidden.rename(container)
    sync(folder)
    info = container.stat()
    [admission] = admit(landing, [LandedFile(name, info.st_size, info.st_mtime_ns)])
    register_compaction(con, admission, zip((part.file for part in parts), starts, strict=True))
    delete(landing, [part.file.name for part in parts])
    return admission


def holds_its_members(con: duckdb.DuckDBPyConnection, landing: Path, container: Admission) -> bool:
    """Whether a compacted file holds what the registry says it holds, and nothing else."""
    return _starts(landing / container.file.name, [_seals(con, container)]) is not None


def seals_in(container: Path, wanted: set[Seal]) -> set[Seal]:
    """Those of the wanted that are intact members of a compacted file, before any damage."""
    held: set[Seal] = set()
    with container.open("rb") as file:
        try:
            for member in members_of(file):
                if (seal := (member.name, member.sha256)) in wanted:
                    held.add(seal)
        except DamagedGzipError:
            pass
    return held


def seal_of(admission: Admission) -> Seal:
    """The member that a landed file is or would be."""
    return admission.file.name.rpartition("/")[2], admission.sha256


def ends_with_newline(path: Path) -> bool:
    """Whether a file that is not empty does."""
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def delete(landing: Path, names: Iterable[str]) -> None:
    """Delete landed files, durably."""
    folders = set()
    for name in names:
        (landing / name).unlink()
        folders.add((landing / name).parent)
    for folder in folders:
        sync(folder)


def delete_unfinished(folder: Path) -> None:
    """Delete what a killed process was writing in a folder of landed files."""
    for left_over in folder.glob(".*-compacted-*.part"):
        left_over.unlink()


def _stem(parts: Sequence[Admission]) -> str:
    """Name without suffix; it follows from the content."""
    seals = [seal_of(part) for part in parts]
    unique = sha256("\n".join(f"{name} {digest}" for name, digest in seals).encode())
    time = _TIME.match(str(seals[0][0]))
    folder = parts[0].file.name.split("/")[-2]
    moment = time[0] if time else f"{folder.replace('-', '')}T000000.000000Z"
    return f"{moment}-compacted-{unique.hexdigest()[:8]}"


def _write(landing: Path, parts: Sequence[Admission], hidden: Path) -> None:
    """Write the parts one after the other to a new file, synced; no file is left of a failure."""
    hidden.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(hidden, _NEW, 0o600), "wb") as target:
            for part in parts:
                path = landing / part.file.name
                with path.open("rb") as source:
                    if part.file.compressed:
                        shutil.copyfileobj(source, target, _BLOCK_BYTES)
                    else:
                        write_member(path.name, source, target)
            target.flush()
            os.fsync(target.fileno())
    except OSError:
        hidden.unlink(missing_ok=True)
        raise


def _seals(con: duckdb.DuckDBPyConnection, part: Admission) -> Iterator[Seal]:
    """The members that a part becomes; for a compacted file those that are registered."""
    if not part.file.compressed:
        yield seal_of(part)
        return
    rows = con.execute(
        """
        select file, sha256
        from ops.compacted_files
        where landing_day = ? and container = ?
        order by offset_bytes
        """,
        [part.file.day, part.file.name],
    )
    while some := rows.fetchmany(10_000):
        yield from ((name.rpartition("/")[2], digest) for name, digest in some)


def _starts(container: Path, expected: Iterable[Iterable[Seal]]) -> list[int] | None:
    """Where each part begins in the text; None unless exactly their members are there."""
    starts, end = [], 0
    with container.open("rb") as file:
        members = members_of(file)
        try:
            for seals in expected:
                starts.append(end)
                for seal in seals:
                    member = next(members, None)
                    if member is None or (member.name, member.sha256) != seal:
                        return None
                    end = member.offset + member.size
            return starts if next(members, None) is None else None
        except DamagedGzipError:
            return None
