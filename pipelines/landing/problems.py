"""What is wrong with the content of landed files, each in a sentence that repeats none of it."""

from pathlib import Path

import duckdb

from contract.envelope import Envelope, EnvelopeError
from pipelines import models
from pipelines.landing.admission import Admission, problems_of
from pipelines.landing.chunks import Chunk

_EMPTY = "is empty; restore it from a backup or move it away"


def find_problems(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    admissions: list[Admission],
    chunk: Chunk | None = None,
) -> dict[str, str]:
    """Problems of the batch at hand, by file; the rest of each file is taken."""
    intact = dict(
        con.execute("select file, bool_and(intact) from landed_envelopes group by all").fetchall()
    )
    if chunk is not None:
        problem = _problem_of_chunk(chunk, intact)
        return {chunk.file.name: problem} if problem else _changed_bodies(con, chunk)
    problems = problems_of(admissions)
    for name in (each.file.name for each in admissions if not each.problem):
        if name not in intact:
            problems[name] = _EMPTY
        elif not intact[name]:
            problems[name] = _diagnose(landing / name)
    return _changed_bodies(con) | problems


def _problem_of_chunk(chunk: Chunk, intact: dict[str, bool]) -> str | None:
    if not all(intact.values()):
        return _diagnose(chunk.path, chunk.first_line)
    return chunk.problem or (None if intact else _EMPTY)


def _changed_bodies(con: duckdb.DuckDBPyConnection, chunk: Chunk | None = None) -> dict[str, str]:
    """Files with a known push that has another body; of a chunk, the file it is cut from."""
    models.run_temporary(con, ("changed_bodies",))
    rows = con.execute("select file, push_id from changed_bodies order by all desc").fetchall()
    return {
        chunk.file.name if chunk else name: f"push {push_id} came in before with another body; "
        "the first one counts; restore this file from a backup"
        for name, push_id in rows
    }


def _diagnose(path: Path, first_line: int = 1) -> str:
    """Name the first line of a file that is not an intact envelope, and count such lines."""
    first: tuple[int, str] | None = None
    bad = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=first_line):
            try:
                Envelope.from_line(line) if line.strip() else None
            except EnvelopeError as error:
                bad += 1
                reason = str(error) if line.endswith(b"\n") else "truncated line"
                first = first or (number, reason)
    if first is None:
        return "contains a line that DuckDB cannot read; inspect it with jq"
    return (
        f"line {first[0]}: {first[1]}; {bad} line(s) of this file are quarantined, "
        "the others are taken; restore it from a backup"
    )
