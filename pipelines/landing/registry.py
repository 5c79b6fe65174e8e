"""What was found in each landed file, noted in ``ops.files``: that it was read, what is wrong."""

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pandas as pd

from contract.envelope import Envelope, EnvelopeError
from pipelines.landing.chunks import Part
from pipelines.landing.inventory import Admission, LandedFile

_EMPTY = "is empty; restore it from a backup or move it away"


def find_problems(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    admissions: list[Admission],
    part: Part | None = None,
) -> dict[str, str]:
    """What needs a person, by file, in the slice at hand; the rest of each file is taken."""
    problems = {one.file.name: one.problem for one in admissions if one.problem}
    intact = dict(
        con.execute("select file, bool_and(intact) from landed_envelopes group by all").fetchall()
    )
    if part is not None:
        found = _problem_of_part(part, intact=all(intact.values()), lines=bool(intact))
        return {part.file.name: found} if found else _bodies_changed(con, part.file.name)
    for one in admissions:
        name = one.file.name
        if name in problems:
            continue
        if name not in intact:
            problems[name] = _EMPTY
        elif not intact[name]:
            problems[name] = _diagnose(landing / name)
    return _bodies_changed(con) | problems


def _problem_of_part(part: Part, *, intact: bool, lines: bool) -> str | None:
    if not intact:
        return _diagnose(part.path, part.first_line)
    if not lines and part.problem is None:
        return _EMPTY
    return part.problem


def _bodies_changed(con: duckdb.DuckDBPyConnection, file: str | None = None) -> dict[str, str]:
    """Files with a known push that has another body, or ``file`` where one of its members has."""
    rows = con.execute(
        """
        select line.file, min(line.push_id)
        from landed_envelopes as line
        join raw.pushes as push using (push_id)
        where line.intact
            and line.sha256 <> push.sha256
        group by all
        order by all
        """
    ).fetchall()
    return {
        file or name: f"push {push_id} came in before with another body; the first one counts, "
        "restore this file from a backup"
        for name, push_id in reversed(rows)
    }


def note_files(
    con: duckdb.DuckDBPyConnection,
    admissions: list[Admission],
    problems: dict[str, str],
    run_id: str,
) -> None:
    """Note that each file was read, and what was found in it."""
    if not admissions:
        return
    rows = [
        {
            "file": one.file.name,
            "landing_day": one.file.day,
            "bytes": one.file.size,
            "changed_ns": one.file.changed_ns,
            "sha256": one.sha256,
            "state": "quarantined" if one.file.name in problems else "taken",
            "problem": problems.get(one.file.name),
            "run_id": run_id,
        }
        for one in admissions
    ]
    types = dict.fromkeys(("file", "sha256", "state", "problem", "run_id"), "string")
    con.register("seen_files", pd.DataFrame(rows).astype(types))
    con.execute("delete from ops.files where file in (select file from seen_files)")
    con.execute(
        """
        insert into ops.files by name
        select
            seen.* replace (seen.landing_day::date as landing_day),
            coalesce(found.n, 0) as pushes
        from seen_files as seen
        left join (
            select file, count(*) as n
            from raw.pushes
            where file in (select file from seen_files)
            group by file
        ) as found
            on found.file = seen.file
        """
    )
    con.unregister("seen_files")


def note_members(con: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Note which landed files lie in a compacted one, and where; what was known of them stays."""
    if not part.members:
        return
    rows = [
        {
            "file": one.name,
            "landing_day": part.file.day,
            "container": part.file.name,
            "offset_bytes": one.offset,
            "bytes": one.size,
            "sha256": one.sha256,
        }
        for one in part.members
    ]
    types = dict.fromkeys(("file", "container", "sha256"), "string")
    con.register("members", pd.DataFrame(rows).astype(types))
    con.execute(
        """
        insert into ops.compacted_files by name
        select members.* replace (members.landing_day::date as landing_day)
        from members
        where file not in (select file from ops.compacted_files)
        """
    )
    con.unregister("members")


def quarantined(
    con: duckdb.DuckDBPyConnection, table: str, files: Iterable[LandedFile]
) -> dict[str, str]:
    """Which of the files that lie there need a person, by ``ops.files`` or ``ops.send_files``.

    One that was moved away needs nobody; its row stays, in case it comes back as it was.
    """
    rows = con.execute(f"select file, problem from {table} where problem is not null order by all")
    there = {file.name for file in files}
    return {file: problem for file, problem in rows.fetchall() if file in there}


def _diagnose(path: Path, first_line: int = 1) -> str:
    """Name the first line of a file that is no intact envelope, and how many there are.

    The text ends up in ``ops.files`` and in ``dlr status``; it repeats nothing of the content.
    """
    first: tuple[int, str] | None = None
    bad = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=first_line):
            if not line.strip():
                continue
            try:
                Envelope.from_line(line)
            except EnvelopeError as error:
                bad += 1
                reason = str(error) if line.endswith(b"\n") else "truncated line"
                first = first or (number, reason)
    if first is None:
        return "holds a line the database engine cannot read; look at it with jq"
    return (
        f"line {first[0]}: {first[1]}; {bad} line(s) of this file are quarantined, "
        "the others are taken; restore it from a backup"
    )
