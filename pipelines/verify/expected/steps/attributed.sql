/* What each message gets from the send log. */
with by_uid as (
    select uid, sid
    from lone
    where "match" = 'uid'
)

select sid, sent_us, tag
from sent
where sid is not null
    and not repeated

union all

select by_uid.sid, sent.sent_us, sent.tag
from sent
cross join by_uid
    on by_uid.uid = sent.uid
where sent.sid is null
order by 1
