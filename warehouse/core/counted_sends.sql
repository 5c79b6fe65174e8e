/*
description: The lines of the touched keys, and which of them is not the one that counts for its sid. Most sids have one line and need no contest.
grain: sid, uid, sent_at_utc, tag, mobile
refresh: temporary
*/
with several as (
    select sid
    from send_lines
    where sid is not null
    group by sid
    having count(*) > 1
)

select
    line.*,
    false as repeated
from send_lines as line
where line.sid is null
    or line.sid not in (select sid from several)

union all

select
    line.*,
    row_number() over (
        partition by line.sid
        order by
            line.sent_at_utc,
            line.tag nulls last,
            line.uid nulls last,
            line.mobile nulls last
    ) > 1 as repeated
from send_lines as line
where line.sid in (select sid from several)
