/*
description: "Pushes whose duplicates and conflicts may have changed: new ones, and those with a repetition of a stale message, before or after the batch."
grain: push_id
materialized: temporary
*/
with changed as (
    select push_id
    from landed_pushes

    union

    select push_id
    from earlier_repetitions

    union

    select push_id
    from core.repeated_reports
    where sid in (select sid from stale_sids)
)

select
    push.push_id,
    push.received_at_utc,
    push.duplicates,
    push.conflicts,
    push.records - push.rejected as readable
from raw.pushes as push
join changed
    on changed.push_id = push.push_id
