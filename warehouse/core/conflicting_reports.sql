/*
description: The distinct contents of each message that was reported with more than one.
grain: sid, version
materialized: incremental
delete_by: {sid: stale_sids}
export: day(first_received_at_utc)
private: [mobile]
free_text: [uid, handset_time_raw, error_code, error_detail]
columns:
  sid: bigint -- Message with more than one content.
  version: bigint -- Rank of this content, 1 is the winner.
  uid: varchar -- The sender's own id in this content.
  mobile: varchar -- Number in this content, as pushed.
  report_status: varchar -- SUCCESS or FAIL in this content.
  handset_time_utc: timestamp -- user_receive_time in UTC; null where unreadable.
  handset_time_raw: varchar -- user_receive_time as sent.
  error_code: varchar -- error_msg as sent.
  error_detail: varchar -- error_detail as sent.
  copies: bigint -- How often this content was reported.
  first_received_at_utc: timestamp -- When this content was first taken, UTC.
  is_winner: boolean -- Whether this content stands in core.sms_status.
*/
with content as (
    select
        sid,
        content_rank as version,
        uid,
        mobile,
        report_status,
        handset_time_utc,
        handset_time_raw,
        error_code,
        error_detail,
        count(*) as copies,
        min(received_at_utc) as first_received_at_utc
    from ranked_reports
    group by all
)

select
    content.*,
    version = 1 as is_winner
from content
qualify count(*) over (partition by sid) > 1
