/*
description: Uids with news in this slice, as far as a send without a sid goes by them. Most logs carry sids, and there are none.
grain: uid
refresh: temporary
as_was: [core.sms_status]
*/
with waiting as (
    select uid
    from raw.sends
    where sid is null

    union

    select uid
    from changed_sends
    where sid is null
),

news as (
    select uid
    from changed_sends

    union all

    select uid
    from raw.records
    where sid in (select sid from sids_with_news)

    union all

    select uid
    from core.sms_status
    where sid in (select sid from sids_with_news)
)

select distinct uid
from news
where uid in (select uid from waiting)
