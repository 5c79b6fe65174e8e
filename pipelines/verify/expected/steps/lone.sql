/* To which message a send without a sid belongs, by its uid: where that is certain. */
with lone as (
    select uid, count(*) as lines
    from sent
    where sid is null
    group by uid
),

named as (
    select distinct uid
    from sent
    where sid is not null
        and uid in (select uid from lone)
),

reported as (
    select uid, count(*) as messages, min(sid) as sid
    from winner
    where uid in (select uid from lone)
    group by uid
)

select
    lone.uid,
    reported.sid,
    case
        when lone.lines > 1 or named.uid is not null or reported.messages > 1 then 'ambiguous'
        when reported.sid is null then 'none'
        when reported.sid in (select sid from sent where sid is not null) then 'ambiguous'
        else 'uid'
    end as "match"
from lone
left join named
    on named.uid = lone.uid
left join reported
    on reported.uid = lone.uid
