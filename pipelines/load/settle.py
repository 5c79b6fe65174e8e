"""Everything about the touched messages computed anew, and what follows from it marked stale.

    retracted_records, new_records, changed_sends
        -> stale_sids -> core.*
        -> raw.pushes (duplicates, conflicts), ops.ledger_by_file
        -> ops.stale_hours, ops.stale_parts

Whoever calls has made the relations of a slice (``decode.py``, ``removal.py``, ``sends.py``) and
holds the transaction.
"""

import duckdb

from pipelines import models
from pipelines.load import changes, ledger


def settle(con: duckdb.DuckDBPyConnection, *, again: bool) -> ledger.ContentChange:
    """Compute everything about the touched messages anew, and mark what follows from it."""
    every = models.load_models().values()
    core = [model for model in every if model.schema == "core"]
    folders = ("steps/messages", "steps/sends")
    steps = [one.name for one in every if one.folder in folders and one.name != "changed_content"]
    models.run_temporary(con, (*steps, "earlier_repetitions"))
    before = ledger.changed_content(con)
    if again:
        changes.remember_messages(con)
    _mark_messages(con)
    for model in core:
        if model.name == "core.sms_status":
            models.replace(con, model)
        elif "sid" in model.delete_by:
            models.refresh(con, model)
    after = ledger.changed_content(con)
    _mark_messages(con)
    _attribute_repetitions(con)
    models.run_temporary(con, ("stale_files",))
    models.refresh(con, models.load_models()["ops.ledger_by_file"])
    return ledger.ContentChange(before, after, after.messages == ledger.reported_messages(con))


def _mark_messages(con: duckdb.DuckDBPyConnection) -> None:
    """Remember the hours and exported parts in which the touched messages lie.

    A send without a report is counted in the hour it was sent.
    """
    _mark_hours(con, "event", "changed_content", "event_hour_utc", "true")
    con.execute(
        """
        insert into ops.stale_parts
        select distinct 'core.sms_status', event_hour_utc::date, received_minute_utc
        from changed_content
        except
        from ops.stale_parts
        """
    )
    for scope in models.load_models()["core.sends"].scopes:
        waiting = f"waiting_hour_utc is not null and {scope}"
        _mark_hours(con, "event", "core.sends", "waiting_hour_utc", waiting)


def _attribute_repetitions(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the figures of each affected push to what its records turned out to be."""
    models.run_temporary(con, ("changed_pushes", "repetitions"))
    con.execute(
        """
        update raw.pushes as push
        set duplicates = repetition.duplicates,
            conflicts = repetition.conflicts,
            accepted = push.records - push.rejected - repetition.duplicates - repetition.conflicts
        from (
            select
                affected.push_id,
                coalesce(repetitions.duplicates, 0) as duplicates,
                coalesce(repetitions.conflicts, 0) as conflicts
            from changed_pushes as affected
            left join repetitions using (push_id)
        ) as repetition
        where push.push_id = repetition.push_id
            and (push.duplicates, push.conflicts)
                <> (repetition.duplicates, repetition.conflicts)
        """
    )
    every = models.load_models()
    scope = "push_id in (select push_id from changed_pushes)"
    for name in ("raw.pushes", "raw.rejected_records"):
        models.mark_stale(con, every[name], scope)
    hour = "date_trunc('hour', received_at_utc)"
    _mark_hours(con, "received", "changed_pushes", hour, "true")
    _mark_hours(con, "received", "retracted_pushes", hour, "true")


def _mark_hours(
    con: duckdb.DuckDBPyConnection, clock: str, relation: str, hour: str, scope: str
) -> None:
    """Remember hours whose marts must be computed again."""
    con.execute(
        f"""
        insert into ops.stale_hours
        select distinct {models.literal(clock)}, {hour} from {relation} where {scope}
        except
        from ops.stale_hours
        """
    )
