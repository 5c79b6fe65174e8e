/*
description: To which message a send without a sid belongs. One such send, one message reported with its uid, and no send of that message or uid by sid; no message as yet (none); anything else is ambiguous.
grain: uid
refresh: temporary
*/
with lone as (
    select
        uid,
        count(*) as lines
    from send_lines
    where sid is null
    group by uid
),

by_sid as (
    select
        sid,
        uid
    from send_lines
    where sid is not null
),

reported as (
    select
        uid,
        count(*) as messages,
        min(sid) as sid
    from winners
    where uid in (select uid from touched_uids)
    group by uid
),

judged as (
    select
        lone.uid,
        reported.sid,
        case
            when lone.lines > 1 then 'ambiguous'
            when lone.uid in (select uid from by_sid where uid is not null) then 'ambiguous'
            when reported.messages is null then 'none'
            when reported.messages > 1 then 'ambiguous'
            when reported.sid in (select sid from by_sid) then 'ambiguous'
            else 'uid'
        end as match
    from lone
    left join reported
        on reported.uid = lone.uid
)

select
    uid,
    match,
    case when match = 'uid' then sid end as reported_sid
from judged
