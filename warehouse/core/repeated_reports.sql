/*
description: Every report of the messages that were reported more than once, as text as it was sent, counted in landing order. The report of any other message is in core.sms_status.
grain: push_id, position
materialized: incremental
delete_by: {sid: stale_sids}
columns:
  sid: bigint -- Message reported more than once.
  push_id: varchar -- Push that brought the report.
  position: bigint -- Place in the pushed array, counted from 0.
  received_at_utc: timestamp -- When the push was taken, UTC.
  uid: varchar -- The sender's own id; null and '' are different.
  mobile: varchar -- Number as pushed, a lost + put back.
  report_status: varchar -- SUCCESS or FAIL, the only field that decides the outcome.
  handset_time_utc: timestamp -- user_receive_time in UTC; null where unreadable.
  handset_time_raw: varchar -- user_receive_time as sent, in the provider's zone.
  error_code: varchar -- error_msg as sent.
  error_detail: varchar -- error_detail as sent.
  outcome: varchar -- accepted (the first report of its message), duplicate (this content was reported before) or conflict (a new content for a known sid).
*/
select
    sid,
    push_id,
    position,
    received_at_utc,
    uid,
    mobile,
    report_status,
    handset_time_utc,
    handset_time_raw,
    error_code,
    error_detail,
    case
        when copy_of_sid = 1 then 'accepted'
        when copy_of_content = 1 then 'conflict'
        else 'duplicate'
    end as outcome
from ranked_reports
qualify count(*) over (partition by sid) > 1
