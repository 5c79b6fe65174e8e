"""The registry of files that were read: ``ops.files``, ``ops.send_files``, ``ops.compacted_files``.

It says of each file which bytes were read and whether they were taken or quarantined. A file whose
size or time of change differs from its row is pending.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import duckdb

from pipelines import models
from pipelines.landing.admission import Admission
from pipelines.landing.chunks import Chunk
from pipelines.landing.inventory import File, LandedFile
from pipelines.models.rows import hand_over
from pipelines.models.warehouse import transaction


class Registry(NamedTuple):
    """A table with a row a file, and the step that gives its rows for ``read_files``."""

    table: str
    rows: str


LANDED_FILES = Registry("ops.files", "registered_files")
SEND_FILES = Registry("ops.send_files", "registered_sends")


def register(
    con: duckdb.DuckDBPyConnection,
    registry: Registry,
    admissions: Iterable[Admission],
    problems: Mapping[str, str],
    run_id: str,
    reader: str | None = None,
) -> None:
    """Register that each file was read; the temporary table ``read_files`` keeps their names."""
    rows = []
    for admission in admissions:
        file, problem = admission.file, problems.get(admission.file.name)
        state = "quarantined" if problem else "taken"
        origin = (file.name, file.day, file.size, file.changed_ns, admission.sha256)
        rows.append((*origin, state, problem, reader, run_id))
    hand_over(con, "read_files", rows)
    con.execute(f"delete from {registry.table} where file in (select file from read_files)")
    models.run_temporary(con, (registry.rows,))
    con.execute(f"insert into {registry.table} by name from {registry.rows}")


def registered(
    con: duckdb.DuckDBPyConnection, registry: Registry, columns: str, days: object = None
) -> dict[str, tuple[object, ...]]:
    """What the registry says of each file; ``days`` leaves out files of other landing days."""
    listed = "where landing_day is null or landing_day in (select unnest(?::date[]))"
    query = f"select file, {columns} from {registry.table}"
    answer = con.execute(query) if days is None else con.execute(f"{query} {listed}", [days])
    return {file: tuple(values) for file, *values in answer.fetchall()}


def pending(
    files: Iterable[File],
    known: Mapping[str, tuple[object, ...]],
    accepted: Collection[object] = (),
) -> list[File]:
    """Files that were never read or have changed since: ``known`` has another size or time.

    Where it has a third value of a file, that must be one of ``accepted``.
    """

    def is_known(file: File) -> bool:
        values = known.get(file.name, ())
        return values[:2] == (file.size, file.changed_ns) and all(
            value in accepted for value in values[2:]
        )

    return [file for file in files if not is_known(file)]


def quarantined(
    con: duckdb.DuckDBPyConnection, registry: Registry, files: Iterable[LandedFile]
) -> dict[str, str]:
    """Problems of those of the files that are quarantined.

    A file that was moved away is not among them; its row stays, in case it comes back unchanged.
    """
    there = {file.name for file in files}
    rows = con.execute(
        f"select file, problem from {registry.table} where problem is not null order by all"
    )
    return {file: problem for file, problem in rows.fetchall() if file in there}


def register_members(con: duckdb.DuckDBPyConnection, chunk: Chunk) -> None:
    """Register which landed files lie in a compacted one, and where; what was known stays."""
    folder = chunk.file.name.rpartition("/")[0]
    name, day = chunk.file.name, chunk.file.day
    rows = [
        (f"{folder}/{member.name}", day, name, member.offset, member.size, member.sha256, None)
        for member in chunk.members
        if member.name is not None and member.size
    ]
    if rows:
        hand_over(con, "container_members", rows, "ops.compacted_files")
        unknown = "file not in (select file from ops.compacted_files)"
        con.execute(
            f"insert into ops.compacted_files by name from container_members where {unknown}"
        )


def register_compaction(
    con: duckdb.DuckDBPyConnection, container: Admission, originals: Iterable[LandedFile]
) -> None:
    """Let a compacted file stand for its originals, which lie in it in this order."""
    members, offset = [], 0
    for file in originals:
        members.append((file.name, container.file.name, offset))
        offset += file.size
    row = (container.file.name, container.file.size, container.file.changed_ns, container.sha256)
    with transaction(con):
        hand_over(con, "compaction_members", members)
        hand_over(con, "compaction_container", [row])
        models.run_temporary(con, ("compacted_members", "compacted_container"))
        mine = "file in (select file from compaction_members)"
        con.execute(f"delete from ops.compacted_files where {mine}")
        con.execute("insert into ops.compacted_files by name from compacted_members")
        con.execute("insert into ops.files by name from compacted_container")
        con.execute(f"delete from ops.files where {mine}")


def forget_originals(con: duckdb.DuckDBPyConnection, names: list[str]) -> None:
    """Delete the rows of files that a compacted file, registered already, holds as well."""
    mine = "file in (select unnest(?::varchar[]))"
    with transaction(con):
        con.execute(
            "update ops.compacted_files as original set run_id = files.run_id "
            f"from (select file, run_id from ops.files where {mine}) as files "
            "where original.file = files.file",
            [names],
        )
        con.execute(f"delete from ops.files where {mine}", [names])
