"""One batch, applied: the steps of the transaction that takes it in."""

import duckdb

from pipelines.decode.decoding import decode, read_lines
from pipelines.decode.rules import note_decoder
from pipelines.landing.admission import Admission
from pipelines.landing.problems import find_problems
from pipelines.landing.registry import LANDED_FILES, register, register_members
from pipelines.load import ledger
from pipelines.load.batch import Batch
from pipelines.load.report import LoadReport
from pipelines.load.retract import retract
from pipelines.load.settle import settle
from pipelines.models.steps import insert
from pipelines.sends.store import store_sends


def apply(
    con: duckdb.DuckDBPyConnection,
    run: ledger.Run,
    batch: Batch,
    report: LoadReport,
    *,
    again: bool,
) -> ledger.ContentChange:
    """Take in one batch, in the caller's transaction, and add it to the report.

    ``again`` says that its files may be in the warehouse already, and are to replace what they
    brought.
    """
    landing = run.settings.landing
    before = ledger.totals(con, ledger.RECORDS), ledger.totals(con, ledger.SENDS)
    admissions = batch.admissions(landing)
    names = [admission.file.name for admission in admissions if not admission.problem]
    read_lines(con, landing, names, batch.chunk)
    retract(con, batch, again=again)
    decode(con)
    store_raw(con)
    store_sends(con, batch.sends, run.run_id)
    content = settle(con, again=again)
    _register(con, run, batch, admissions, report)
    ledger.record(con, run, before[0], batch.completed, content)
    if batch.sends.admissions:
        ledger.record_sends(con, run, before[1], len(batch.sends.admissions))
    return content


def store_raw(con: duckdb.DuckDBPyConnection) -> None:
    """Store the new pushes and rejects; readable records go to ``core`` alone."""
    con.execute("insert into raw.rejected_records by name from new_rejects")
    insert(con, "raw.pushes", "pushes_of_batch")


def _register(
    con: duckdb.DuckDBPyConnection,
    run: ledger.Run,
    batch: Batch,
    admissions: list[Admission],
    report: LoadReport,
) -> None:
    """Register which files were read and what is wrong with them; a file with its last chunk."""
    problems = find_problems(con, run.settings.landing, admissions, batch.chunk)
    # the first problem of a file counts
    report.quarantined = problems | batch.sends.problems | report.quarantined
    report.pushes += con.execute("select count(*) from landed_pushes").fetchall()[0][0]
    report.send_files += len(batch.sends.admissions)
    report.files += batch.completed
    note_decoder(con, {file.day for file in batch.files})
    if batch.completed:
        register(con, LANDED_FILES, admissions, report.quarantined, run.run_id)
        if batch.chunk:
            register_members(con, batch.chunk)
