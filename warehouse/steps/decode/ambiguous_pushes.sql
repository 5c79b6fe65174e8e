/*
description: New pushes that have no plain element, or one that is not certain; they are read again, with care.
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
