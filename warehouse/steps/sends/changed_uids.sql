/*
description: Uids that changed in this batch and by which a send without a sid is matched. Most logs carry sids; then there are none.
grain: uid
materialized: temporary
reads: previous
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
    select sid
    from new_records

    union all

    select sid
    from retracted_records

    union all

    select sid
    from changed_sends
),

candidate as (
    select uid
    from changed_sends

    union all

    select uid
    from new_records

    union all

    select uid
    from core.sms_status
    where sid in (select sid from news)

    union all

    select uid
    from core.repeated_reports
    where sid in (select sid from news)
)

select distinct uid
from candidate
where uid in (select uid from waiting)
