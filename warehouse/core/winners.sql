/*
description: The report that stands for each touched message, at the first push that brought its content.
grain: sid
refresh: temporary
*/
with contested as (
    select
        sid,
        count(*) as copies,
        min(received_at_utc) as first_received_at_utc,
        max(content_rank) > 1 as conflicting
    from contenders
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
where sid not in (select sid from contested_sids)

union all

select
    contender.sid,
    contender.push_id,
    contender.position,
    contender.received_at_utc,
    contender.uid,
    contender.mobile,
    contender.report_status,
    contender.handset_time_raw,
    contender.error_code,
    contender.error_detail,
    contested.copies,
    contested.first_received_at_utc,
    contested.conflicting
from contenders as contender
join contested
    on contested.sid = contender.sid
where contender.content_rank = 1
    and contender.copy_of_content = 1
