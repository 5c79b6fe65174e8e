/*
description: Reports of the stale messages from before the batch. A message reported once is stored in core.sms_status as it was sent, the others in core.repeated_reports.
grain: push_id, position
materialized: temporary
reads: previous
*/
select
    sid,
    push_id,
    position,
    first_received_at_utc as received_at_utc,
    uid,
    mobile,
    report_status,
    handset_time_raw,
    error_code,
    error_detail
from earlier_messages
where copies = 1
    and push_id not in (select push_id from retracted_pushes)

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
from core.repeated_reports
where sid in (select sid from stale_sids)
    and push_id not in (select push_id from retracted_pushes)
