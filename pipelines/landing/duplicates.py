"""Files that a compacted one holds as well: left by a killed process, or come from a backup.

Only the compacted file's bytes prove that it holds them, not the registry.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb

from pipelines.landing.admission import admit
from pipelines.landing.containers import Seal, delete, seal_of, seals_in
from pipelines.landing.inventory import LandedFile, Partition
from pipelines.landing.members import intact_members
from pipelines.landing.registry import containers_of, forget_originals, members_among


def delete_duplicates(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    partition: Partition,
    files: Sequence[LandedFile],
) -> set[str]:
    """Delete those of the files that another file of their landing day holds; returns them.

    Each of the files is known to the registry.
    """
    there = {file.name for file in partition.files}
    doubled = [
        *_doubled_originals(con, landing, partition, files, there),
        *_doubled_containers(con, landing, partition, files, there),
    ]
    if doubled:
        forget_originals(con, partition.day, doubled)
        delete(landing, doubled)
    return set(doubled)


def _doubled_originals(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    partition: Partition,
    files: Iterable[LandedFile],
    there: set[str],
) -> Iterator[str]:
    originals = {file.name: file for file in files if not file.compressed}
    copies: dict[str, list[LandedFile]] = {}
    for name, container, _ in members_among(con, partition.day, originals):
        if container in there:
            copies.setdefault(container, []).append(originals[name])
    for container, doubtful in copies.items():
        admissions = admit(landing, doubtful)
        held = seals_in(landing / container, {seal_of(each) for each in admissions})
        yield from (each.file.name for each in admissions if seal_of(each) in held)


def _doubled_containers(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    partition: Partition,
    files: Iterable[LandedFile],
    there: set[str],
) -> Iterator[str]:
    """Compacted files of which the registry expects nothing, because others hold it all."""
    compressed = [file for file in files if file.compressed]
    expected = set(containers_of(con, partition.day)) if compressed else set()
    for file in compressed:
        if file.name not in expected:
            wanted = _seals_of(landing / file.name)
            names = {f"{partition.name}/{name}" for name, _ in wanted}
            holders = {holder for _, holder, _ in members_among(con, partition.day, names)}
            for holder in sorted(holders & there):
                wanted -= seals_in(landing / holder, wanted)
            if names and not wanted:
                yield file.name


def _seals_of(container: Path) -> set[Seal]:
    """All members of a compacted file; a damaged one has a member without a name."""
    with container.open("rb") as file:
        members, damage = intact_members(file)
    damaged: set[Seal] = {(None, None)} if damage else set()
    return {(member.name, member.sha256) for member in members} | damaged
