/*
description: What the send log says of the touched keys; the same line again, in the same file or another, is one.
grain: sid, uid, sent_at_utc, tag, mobile
refresh: temporary
*/
select
    sid,
    uid,
    sent_at_utc,
    tag,
    mobile,
    count(*) as copies
from raw.sends
where sid in (select sid from touched_sids)
group by all

union all

select
    sid,
    uid,
    sent_at_utc,
    tag,
    mobile,
    count(*) as copies
from raw.sends
where uid in (select uid from touched_uids)
    and sid is null
group by all
