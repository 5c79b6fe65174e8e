/*
description: New pushes in which SQL found no element, or one whose reading is not certain. The slow path decodes them again, in Python.
grain: push_id
materialized: temporary
*/
select
    push_id,
    file,
    received_at_utc,
    sha256
from landed_pushes
where push_id not in (
    select push_id
    from fast_elements
    group by push_id
    having bool_and(certain)
)
