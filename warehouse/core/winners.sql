/*
description: The report that stands for each touched message, at the first push that brought its content.
grain: sid
refresh: temporary
*/
with contested as (
    select
        sid,
        max(content_rank) > 1 as conflicting
    from contenders
    group by sid
)

select
    record.sid,
    record.uid,
    record.mobile,
    record.report_status,
    handset_time(record.handset_time_raw) as handset_time_utc,
    record.handset_time_raw,
    record.error_code,
    record.error_detail,
    record.received_at_utc,
    record.push_id,
    copies.copies,
    copies.first_received_at_utc,
    false as conflicting
from raw.records as record
join copies
    on copies.sid = record.sid
where copies.copies = 1

union all

select
    contender.sid,
    contender.uid,
    contender.mobile,
    contender.report_status,
    contender.handset_time_utc,
    contender.handset_time_raw,
    contender.error_code,
    contender.error_detail,
    contender.received_at_utc,
    contender.push_id,
    copies.copies,
    copies.first_received_at_utc,
    contested.conflicting
from contenders as contender
join contested
    on contested.sid = contender.sid
join copies
    on copies.sid = contender.sid
where contender.content_rank = 1
    and contender.copy_of_content = 1
