"""The send log: files to ``raw.sends`` and ``raw.rejected_sends``, and what that touches.

Takes part in the slice of ``load.py``, so rows and the note of their files are stored together.
Leaves behind the temporary table ``changed_sends``: the key of every row that came or went.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pandas as pd

from contract.settings import Settings
from pipelines import models
from pipelines.landing.inventory import Admission, LandedFile
from pipelines.models.digests import SENDS, digests_now
from pipelines.sends.files import SendFile, admit_sends
from pipelines.sends.rows import read_rows

_FILE = {
    "file": "string",
    "bytes": "int64",
    "changed_ns": "int64",
    "sha256": "string",
    "state": "string",
    "problem": "string",
    "reader": "string",
    "run_id": "string",
}


@dataclass(frozen=True, slots=True)
class SendsRead:
    """Files of the send log as they were read; their rows are in ``send_rows``."""

    admissions: list[Admission]
    problems: dict[str, str]
    """What needs a person, by file."""


def read_sends(
    con: duckdb.DuckDBPyConnection, settings: Settings, files: Iterable[LandedFile]
) -> SendsRead:
    """Read those of the files that are of the send log.

    To be called outside of the slice's transaction: DuckDB ends that where a file is unreadable.
    """
    admissions = admit_sends(settings.sends, [one for one in files if isinstance(one, SendFile)])
    problems = {one.file.name: one.problem for one in admissions if one.problem}
    readable = [one.file.name for one in admissions if not one.problem]
    return SendsRead(admissions, problems | read_rows(con, settings.sends, readable))


def store_sends(con: duckdb.DuckDBPyConnection, read: SendsRead, run_id: str) -> None:
    """Put what was read in the place of what the same files brought before."""
    con.execute("create or replace temp table changed_sends (sid bigint, uid varchar)")
    if read.admissions:
        models.run_temporary(con, ("read_sends",))
        _note(con, read, run_id)
        _replace(con)


def _note(con: duckdb.DuckDBPyConnection, read: SendsRead, run_id: str) -> None:
    reader = digests_now(con).of(SENDS)
    rows = [
        {
            "file": one.file.name,
            "bytes": one.file.size,
            "changed_ns": one.file.changed_ns,
            "sha256": one.sha256,
            "state": "quarantined" if one.file.name in read.problems else "taken",
            "problem": read.problems.get(one.file.name),
            "reader": reader,
            "run_id": run_id,
        }
        for one in read.admissions
    ]
    con.register("seen_files", pd.DataFrame(rows, columns=list(_FILE)).astype(_FILE))
    con.execute("create or replace temp table seen_sends as from seen_files")
    con.unregister("seen_files")
    con.execute("delete from ops.send_files where file in (select file from seen_sends)")
    con.execute(
        """
        insert into ops.send_files by name
        select
            seen.*,
            count(row.file) as received,
            count(row.reason) as rejected
        from seen_sends as seen
        left join read_sends as row
            on row.file = seen.file
        group by all
        """
    )


def _replace(con: duckdb.DuckDBPyConnection) -> None:
    every = models.load_models()
    scope = "file in (select file from seen_sends)"
    con.execute(f"insert into changed_sends select sid, uid from raw.sends where {scope}")
    con.execute("insert into changed_sends select sid, uid from read_sends where reason is null")
    for name, columns, condition in (
        ("raw.sends", "file, position, sid, uid, sent_at_utc, tag, mobile", "reason is null"),
        ("raw.rejected_sends", "file, position, reason, field, value", "reason is not null"),
    ):
        models.mark_stale(con, every[name], scope)
        con.execute(f"delete from {name} where {scope}")
        con.execute(
            f"insert into {name} by name select {columns} from read_sends where {condition}"
        )
        models.mark_stale(con, every[name], scope)
