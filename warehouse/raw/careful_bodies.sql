/*
description: Bodies of the new pushes that have no plain element, or one that is not certain.
grain: push_id
refresh: temporary
*/
with push as (
    select
        push_id,
        file,
        received_at_utc,
        sha256
    from landed_pushes
    where push_id not in (
        select push_id
        from plain_elements
        group by push_id
        having bool_and(certain)
    )
),

line as (
    select
        push.push_id,
        push.received_at_utc,
        push.sha256,
        coalesce(encode(line.body), try(from_base64(line.body_base64))) as body
    from landed_lines as line
    join push
        on push.push_id = line.push_id
        and push.file = line.file
)

select
    push_id,
    received_at_utc,
    any_value(body) as body
from line
where sha256(body) = sha256
group by push_id, received_at_utc
