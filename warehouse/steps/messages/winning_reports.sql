/*
description: The winning report of each changed message, at the first push that brought its content.
grain: sid
materialized: temporary
*/
with repeated as (
    select
        sid,
        count(*) as copies,
        min(received_at_utc) as first_received_at_utc,
        max(content_rank) > 1 as conflicting
    from ranked_reports
    group by sid
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
    error_code,
    error_detail,
    1 as copies,
    received_at_utc as first_received_at_utc,
    false as conflicting
from new_records
where sid not in (select sid from stale_sids)

union all

select
    report.sid,
    report.push_id,
    report.position,
    report.received_at_utc,
    report.uid,
    report.mobile,
    report.report_status,
    report.handset_time_raw,
    report.error_code,
    report.error_detail,
    repeated.copies,
    repeated.first_received_at_utc,
    repeated.conflicting
from ranked_reports as report
join repeated
    on repeated.sid = report.sid
where report.content_rank = 1
    and report.copy_of_content = 1
