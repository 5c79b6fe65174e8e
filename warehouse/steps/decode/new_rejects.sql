/*
description: Rejects of the new pushes, by either path.
grain: push_id, position
materialized: temporary
*/
select
    push_id,
    position,
    reason,
    field,
    value,
    received_at_utc
from fast_elements
where reason is not null
    and push_id not in (select push_id from slow_path_pushes)

union all

select
    push_id,
    position,
    reason,
    field,
    value,
    received_at_utc
from slow_path_rejects
