/*
description: Changed messages that were known before the batch, as they were stored then.
grain: sid
materialized: temporary
reads: previous
*/
select
    sid,
    push_id,
    position,
    first_received_at_utc,
    uid,
    mobile,
    report_status,
    handset_time_raw,
    error_code,
    error_detail,
    copies
from core.sms_status
where sid in (
    select sid
    from new_records

    union all

    select sid
    from retracted_records

    union all

    select sid
    from changed_sends

    union all

    select sid
    from known_by_uid
)
