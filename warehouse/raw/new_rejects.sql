/*
description: What could not be taken of the new pushes, whichever way they were taken apart.
grain: push_id, position
refresh: temporary
*/
select
    push_id,
    position,
    reason,
    field,
    value,
    received_at_utc
from plain_elements
where reason is not null
    and push_id not in (select push_id from careful_pushes)

union all

select
    push_id,
    position,
    reason,
    field,
    value,
    received_at_utc
from careful_rejects
