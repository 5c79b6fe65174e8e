/*
description: First message of each batch in which all messages are computed again.
grain: sid
materialized: view
*/
with known as (
    select sid
    from core.sms_status

    union

    select sid
    from raw.sends
    where sid is not null
),

numbered as (
    select
        sid,
        row_number() over (order by sid) as number
    from known
)

select sid
from numbered
where number % getvariable('messages_in_batch') = 1
    or getvariable('messages_in_batch') = 1
order by sid
