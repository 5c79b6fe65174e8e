/*
description: Records that are rejected for another reason than before, no longer, or only now, but for those of new pushes.
grain: one row a rejected record
materialized: temporary
*/
with before as (
    select
        push_id,
        coalesce(position, -1) as place,
        reason,
        row_number() over (partition by push_id, position order by reason, field) as number
    from rejects_before
),

after as (
    select
        push_id,
        coalesce(position, -1) as place,
        reason,
        row_number() over (partition by push_id, position order by reason, field) as number
    from rejects_after
)

select
    before.reason as old_reason,
    after.reason as new_reason
from before
full join after
    on (after.push_id, after.place, after.number) = (before.push_id, before.place, before.number)
where before.reason is distinct from after.reason
    and coalesce(after.push_id not in (select push_id from fresh_pushes), true)
