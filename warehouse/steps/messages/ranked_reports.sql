/*
description: "Every report of the stale messages, ranked: the content with rank 1 wins."
grain: push_id, position
materialized: temporary
*/
with report as (
    select *
    from new_records
    where sid in (select sid from stale_sids)

    union all

    select *
    from earlier_reports
)

select
    report.sid,
    report.push_id,
    report.position,
    report.received_at_utc,
    report.uid,
    report.mobile,
    report.report_status,
    report.handset_time_raw,
    sent.handset_time_utc,
    report.error_code,
    report.error_detail,
    -- which content wins: arrival plays no part
    dense_rank() over (
        partition by report.sid
        order by
            report.report_status = 'SUCCESS' desc,
            sent.handset_time_utc desc nulls last,
            report.handset_time_raw desc nulls last,
            report.error_code desc nulls last,
            report.error_detail desc nulls last,
            report.uid desc nulls last,
            report.mobile desc nulls last
    ) as content_rank,
    -- in what order the copies landed: of the message, and of this very content
    row_number() over (
        partition by report.sid
        order by report.received_at_utc, report.push_id, report.position
    ) as copy_of_sid,
    row_number() over (
        partition by
            report.sid, report.uid, report.mobile, report.report_status, report.handset_time_raw,
            report.error_code, report.error_detail
        order by report.received_at_utc, report.push_id, report.position
    ) as copy_of_content
from report
left join handset_times as sent
    on sent.handset_time_raw = report.handset_time_raw
