"""What was found in each landed file, noted in ``ops.files``: that it was read, what is wrong."""

from pathlib import Path

import duckdb
import pandas as pd

from ingest.envelope import Envelope, EnvelopeError
from pipelines.landed import Admission


def note_files(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    admissions: list[Admission],
    run_id: str,
) -> dict[str, str]:
    """Note what was found in each file; returns the problems by file."""
    if not admissions:
        return {}
    pushes = dict(con.execute("select file, count(*) from raw.pushes group by all").fetchall())
    problems = _problems(con, landing, admissions)
    rows = [
        {
            "file": one.file.name,
            "bytes": one.file.size,
            "changed_ns": one.file.changed_ns,
            "sha256": one.sha256,
            "pushes": pushes.get(one.file.name, 0),
            "state": "set_apart" if one.file.name in problems else "taken",
            "problem": problems.get(one.file.name),
            "run_id": run_id,
        }
        for one in admissions
    ]
    types = dict.fromkeys(("file", "sha256", "state", "problem", "run_id"), "string")
    con.register("seen_files", pd.DataFrame(rows).astype(types))
    con.execute("delete from ops.files where file in (select file from seen_files)")
    con.execute("insert into ops.files by name from seen_files")
    con.unregister("seen_files")
    return problems


def _problems(
    con: duckdb.DuckDBPyConnection, landing: Path, admissions: list[Admission]
) -> dict[str, str]:
    """What needs a person, by file; the rest of each file is taken."""
    problems = {one.file.name: one.problem for one in admissions if one.problem}
    intact = dict(
        con.execute("select file, bool_and(intact) from landed_envelopes group by all").fetchall()
    )
    for one in admissions:
        name = one.file.name
        if name in problems:
            continue
        if name not in intact:
            problems[name] = "is empty; restore it from a backup or move it away"
        elif not intact[name]:
            problems[name] = _diagnose(landing / name)
    for name, push_id in con.execute(
        """
        select line.file, min(line.push_id)
        from landed_envelopes as line
        join raw.pushes as push using (push_id)
        where line.intact
            and line.sha256 <> push.sha256
        group by all
        """
    ).fetchall():
        problems.setdefault(
            name,
            f"push {push_id} came in before with another body; the first one counts, "
            "restore this file from a backup",
        )
    return problems


def _diagnose(path: Path) -> str:
    """Name the first line of a file that is no intact envelope, and how many there are.

    The text ends up in ``ops.files`` and in ``dlr status``; it repeats nothing of the content.
    """
    first: tuple[int, str] | None = None
    bad = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
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
        f"line {first[0]}: {first[1]}; {bad} line(s) of this file are set apart, "
        "the others are taken; restore it from a backup"
    )
