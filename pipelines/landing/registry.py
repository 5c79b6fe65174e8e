"""The registry of files that were read: ``ops.files``, ``ops.send_files``, ``ops.compacted_files``.

It says of each file which bytes were read and whether they were taken or quarantined. A file whose
size or time of change differs from its row is pending.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
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
        known = "select file from ops.compacted_files where landing_day is not distinct from ?"
        con.execute(
            "insert into ops.compacted_files by name "
            f"from container_members where file not in ({known})",
            [day],
        )


def register_compaction(
    con: duckdb.DuckDBPyConnection,
    container: Admission,
    parts: Iterable[tuple[LandedFile, int]],
) -> None:
    """Let a compacted file stand for its parts, each with where it begins in the text.

    All lie in the folder of one landing day. The members of a part that was compacted before are
    members of the new file from now on.
    """
    day, file = container.file.day, container.file
    rows = [(part.name, file.name, start) for part, start in parts]
    row = (file.name, file.size, file.changed_ns, container.sha256)
    with transaction(con):
        hand_over(con, "compaction_parts", rows)
        hand_over(con, "compaction_container", [row])
        models.run_temporary(con, ("compacted_members", "compacted_container"))
        # the day spares DuckDB the search through all others
        mine = "landing_day = ? and file in (select file from compaction_parts)"
        con.execute(f"delete from ops.compacted_files where {mine}", [day])
        con.execute("insert into ops.compacted_files by name from compacted_members")
        con.execute(
            """
            update ops.compacted_files as member
            set container = part.container, offset_bytes = member.offset_bytes + part.offset_bytes
            from compaction_parts as part
            where member.landing_day = ? and member.container = part.file
            """,
            [day],
        )
        con.execute("delete from ops.files where file = ?", [file.name])
        con.execute("insert into ops.files by name from compacted_container")
        con.execute(f"delete from ops.files where {mine}", [day])


def registered_among(
    con: duckdb.DuckDBPyConnection, day: date, names: Iterable[str], states: Iterable[str]
) -> list[tuple[str, int, int, str]]:
    """Those of the names that are in one of the states: size, time of change, digest.

    Without compressed files that the newest run has read: the ledger counts them.
    """
    hand_over(con, "doubtful_files", [(name,) for name in names])
    return con.execute(
        """
        select file, bytes, changed_ns, sha256
        from ops.files
        where landing_day = ?
            and file in (select file from doubtful_files)
            and state in (select unnest(?::varchar[]))
            and not (
                state = 'taken'
                and ends_with(file, '.gz')
                and run_id = (select arg_max(run_id, sequence) from ops.ledger)
            )
        order by file
        """,
        [day, list(states)],
    ).fetchall()


def members_among(
    con: duckdb.DuckDBPyConnection, day: date, names: Iterable[str]
) -> list[tuple[str, str, str]]:
    """Those of the names that lie in compacted files of a landing day: container, digest."""
    hand_over(con, "doubtful_files", [(name,) for name in names])
    return con.execute(
        """
        select file, container, sha256
        from ops.compacted_files
        where landing_day = ? and file in (select file from doubtful_files)
        """,
        [day],
    ).fetchall()


def containers_of(con: duckdb.DuckDBPyConnection, day: date) -> list[str]:
    """Compacted files of a landing day of which the registry knows what they hold."""
    query = "select distinct container from ops.compacted_files where landing_day = ?"
    return [name for (name,) in con.execute(query, [day]).fetchall()]


def forget_originals(con: duckdb.DuckDBPyConnection, day: date, names: list[str]) -> None:
    """Delete the rows of files that a compacted file, registered already, holds as well."""
    mine = "landing_day = $day and file in (select unnest($names::varchar[]))"
    values = {"day": day, "names": names}
    with transaction(con):
        con.execute(
            "update ops.compacted_files as original set run_id = files.run_id "
            f"from (select file, run_id from ops.files where {mine}) as files "
            "where original.landing_day = $day and original.file = files.file",
            values,
        )
        con.execute(f"delete from ops.files where {mine}", values)
