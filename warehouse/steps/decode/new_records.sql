/*
description: Readable records of the new pushes, by either path.
grain: push_id, position
materialized: view
*/
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
    error_detail
from fast_elements
where reason is null
    and push_id not in (select push_id from slow_path_pushes)

union all

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
    error_detail
from slow_path_records
