/*
description: Every report of the touched messages that were reported more than once, ranked. Most messages are reported once and need no contest.
grain: push_id, position
refresh: temporary
*/
with report as (
    select
        record.*,
        handset_time(record.handset_time_raw) as handset_time_utc
    from raw.records as record
    where record.sid in (select sid from copies where copies > 1)
)

select
    sid,
    push_id,
    position,
    received_at_utc,
    uid,
    mobile,
    report_status,
    handset_time_raw,
    handset_time_utc,
    error_code,
    error_detail,
    -- which content wins: arrival plays no part
    dense_rank() over (
        partition by sid
        order by
            report_status = 'SUCCESS' desc,
            handset_time_utc desc nulls last,
            handset_time_raw desc nulls last,
            error_code desc nulls last,
            error_detail desc nulls last,
            uid desc nulls last,
            mobile desc nulls last
    ) as content_rank,
    -- in what order the copies landed: of the message, and of this very content
    row_number() over (
        partition by sid
        order by received_at_utc, push_id, position
    ) as copy_of_sid,
    row_number() over (
        partition by
            sid, uid, mobile, report_status, handset_time_raw, error_code, error_detail
        order by received_at_utc, push_id, position
    ) as copy_of_content
from report
