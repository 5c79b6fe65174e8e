/*
description: Bodies of the pushes that the slow path decodes.
grain: push_id
materialized: temporary
*/
with line as (
    select
        file,
        push_id,
        coalesce(encode(body), try(from_base64(body_base64))) as body
    from landed_lines
    -- `is true`, or the planner makes a join of it that keeps every line in memory
    where (push_id in (select push_id from ambiguous_pushes)) is true
)

select
    push.push_id,
    push.received_at_utc,
    any_value(line.body) as body
from ambiguous_pushes as push
join line
    on line.push_id = push.push_id
    and line.file = push.file
where sha256(line.body) = push.sha256
group by push.push_id, push.received_at_utc
