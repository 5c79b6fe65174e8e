/*
description: The message that a send without a sid belongs to. It matches (uid) where there is one such send, one message reported with its uid, and no other send of that message or uid by sid. It is none where no message has the uid yet, and ambiguous otherwise.
grain: uid
materialized: temporary
*/
with lone as (
    select
        uid,
        count(*) as lines
    from counted_sends
    where sid is null
    group by uid
),

named as (
    select uid
    from counted_sends
    where sid is not null
        and uid in (select uid from changed_uids)
),

reported as (
    select
        uid,
        count(*) as messages,
        min(sid) as sid
    from winning_reports
    where uid in (select uid from changed_uids)
    group by uid
),

has_send as (
    select distinct sid
    from counted_sends
    where sid in (select sid from reported)
),

judged as (
    select
        lone.uid,
        reported.sid,
        case
            when lone.lines > 1 then 'ambiguous'
            when lone.uid in (select uid from named) then 'ambiguous'
            when reported.messages is null then 'none'
            when reported.messages > 1 then 'ambiguous'
            when has_send.sid is not null then 'ambiguous'
            else 'uid'
        end as match
    from lone
    left join reported
        on reported.uid = lone.uid
    left join has_send
        on has_send.sid = reported.sid
)

select
    uid,
    match,
    case when match = 'uid' then sid end as reported_sid
from judged
