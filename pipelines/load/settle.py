"""Everything about the changed messages computed anew, and what follows from it marked stale."""

import duckdb

from pipelines import models
from pipelines.load import changes, ledger
from pipelines.models.steps import insert_missing, update


def settle(con: duckdb.DuckDBPyConnection, *, again: bool) -> ledger.ContentChange:
    """Compute everything about the changed messages anew, and mark what follows from it.

    Reads what ``decode``, ``retract`` and ``store_sends`` leave, in the caller's transaction.
    """
    every = models.load_models().values()
    folders = ("steps/messages", "steps/sends")
    steps = [model.name for model in every if model.folder in folders]
    steps.remove("changed_content")
    models.run_temporary(con, (*steps, "earlier_repetitions"))
    before = ledger.changed_content(con)
    if again:
        changes.remember_messages(con)
    _mark_messages(con)
    for model in every:
        if model.name == "core.sms_status":
            models.replace(con, model)
        elif model.schema == "core" and "sid" in model.delete_by:
            models.refresh(con, model)
    after = ledger.changed_content(con)
    _mark_messages(con)
    _attribute_repetitions(con)
    models.run_temporary(con, ("stale_files",))
    models.refresh(con, models.load_models()["ops.ledger_by_file"])
    reported = con.execute("select count(*) from winning_reports").fetchall()[0][0]
    gain = after.low - before.low, after.high - before.high
    return ledger.ContentChange(*gain, after.messages == reported)


def _mark_messages(con: duckdb.DuckDBPyConnection) -> None:
    """Mark the hours, and the parts of the export, in which the changed messages lie."""
    insert_missing(con, "ops.stale_hours", "hours_of_messages")
    insert_missing(con, "ops.stale_parts", "parts_of_messages")


def _attribute_repetitions(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the figures of each changed push to what its records turned out to be."""
    models.run_temporary(con, ("changed_pushes", "repetitions", "attributions"))
    update(con, "raw.pushes", "attributions", key="push_id")
    for name in ("raw.pushes", "raw.rejected_records"):
        scope = "push_id in (select push_id from changed_pushes)"
        models.mark_stale(con, models.load_models()[name], scope)
    insert_missing(con, "ops.stale_hours", "hours_of_pushes")
