/*
description: Bodies of the new pushes that have no plain record, or one that is not plain.
grain: push_id
refresh: temporary
*/
select
    push.push_id,
    push.received_at_utc,
    any_value(coalesce(encode(line.body), try(from_base64(line.body_base64)))) as body
from landed_lines as line
join landed_pushes as push
    on push.push_id = line.push_id
    and push.file = line.file
where push.push_id not in (
    select push_id
    from plain_records
    group by push_id
    having bool_and(plain)
)
group by push.push_id, push.received_at_utc
