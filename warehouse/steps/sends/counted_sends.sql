/*
description: Send log entries of the changed keys. The same line again, in the same file or another, counts once. Of several lines with one sid the first counts; the others repeat it.
grain: sid, uid, sent_at_utc, tag, mobile
materialized: temporary
*/
with sent_again as (
    select
        sid,
        uid,
        sent_at_utc,
        tag,
        mobile,
        count(*) as copies
    from raw.sends
    where sid in (select sid from repeatedly_sent_sids)
    group by all
)

select
    sid,
    uid,
    sent_at_utc,
    tag,
    mobile,
    1 as copies,
    false as repeated
from raw.sends
where sid in (select sid from changed_sids)
    and sid not in (select sid from repeatedly_sent_sids)

union all

select
    sid,
    uid,
    sent_at_utc,
    tag,
    mobile,
    copies,
    row_number() over (
        partition by sid
        order by
            sent_at_utc,
            tag nulls last,
            uid nulls last,
            mobile nulls last
    ) > 1 as repeated
from sent_again

union all

select
    sid,
    uid,
    sent_at_utc,
    tag,
    mobile,
    count(*) as copies,
    false as repeated
from raw.sends
where uid in (select uid from changed_uids)
    and sid is null
group by all
