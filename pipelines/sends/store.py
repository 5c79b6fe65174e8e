"""The send log: files to ``raw.sends`` and ``raw.rejected_sends``, and which keys that changes."""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from contract.settings import Settings
from pipelines import models
from pipelines.landing.admission import Admission, admit, not_regular, problems_of
from pipelines.landing.inventory import LandedFile
from pipelines.landing.registry import SEND_FILES, register
from pipelines.models.digests import SENDS, digests_now
from pipelines.models.steps import delete
from pipelines.sends.files import SendFile
from pipelines.sends.rows import read_rows


@dataclass(frozen=True, slots=True)
class SendsRead:
    """Files of the send log as they were read; their rows are in ``send_rows``."""

    admissions: list[Admission]
    problems: dict[str, str]
    """Why a file is quarantined, by file."""


def read_sends(
    con: duckdb.DuckDBPyConnection, settings: Settings, files: Iterable[LandedFile]
) -> SendsRead:
    """Read those of the files that are of the send log.

    Call it outside the batch's transaction because DuckDB ends that where a file is unreadable.
    """
    sends = [file for file in files if isinstance(file, SendFile)]
    admissions = admit(settings.sends, sends, not_regular)
    readable = [each.file.name for each in admissions if not each.problem]
    problems = read_rows(con, settings.sends, readable)
    return SendsRead(admissions, problems_of(admissions) | problems)


def store_sends(con: duckdb.DuckDBPyConnection, read: SendsRead, run_id: str) -> None:
    """Replace what the same files brought before by what was read, and register the files.

    Leaves ``changed_sends``: the key of every row that came or went.
    """
    con.execute("create or replace temp table changed_sends (sid bigint, uid varchar)")
    if not read.admissions:
        return
    models.run_temporary(con, ("read_sends",))
    reader = digests_now(con).of(SENDS)
    register(con, SEND_FILES, read.admissions, read.problems, run_id, reader)
    scope = "file in (select file from read_files)"
    con.execute(f"insert into changed_sends select sid, uid from raw.sends where {scope}")
    con.execute("insert into changed_sends select sid, uid from read_sends where reason is null")
    for name, condition in (
        ("raw.sends", "reason is null"),
        ("raw.rejected_sends", "reason is not null"),
    ):
        model = models.load_models()[name]
        rows = f"select {', '.join(model.columns)} from read_sends where {condition}"
        delete(con, name, scope)
        con.execute(f"insert into {name} by name {rows}")
        models.mark_stale(con, model, scope)
