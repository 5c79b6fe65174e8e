/*
description: The new pushes as rows of raw.pushes. Every readable record counts as accepted until the batch is settled.
grain: push_id
materialized: view
*/
with rejected as (
    select
        push_id,
        count(*) as records
    from new_rejects
    group by push_id
)

select
    push.push_id,
    push.file,
    push.received_at_utc,
    push.body_bytes,
    push.sha256,
    decoded.decoding,
    decoded.records,
    decoded.repaired_mobiles,
    decoded.records - coalesce(rejected.records, 0) as accepted,
    0 as duplicates,
    0 as conflicts,
    coalesce(rejected.records, 0) as rejected
from landed_pushes as push
join new_pushes as decoded
    on decoded.push_id = push.push_id
left join rejected
    on rejected.push_id = push.push_id
