/*
description: Send log entries (optional input), and the message each belongs to.
grain: sid, uid, sent_at_utc, tag, mobile
materialized: incremental
delete_by: {sid: changed_sids, uid: changed_uids}
export: hive(sent_at_utc, sent_at_utc)
private: [mobile]
free_text: [uid, tag]
columns:
  sid: bigint -- Id of the message, given by the provider; null where the log does not say.
  uid: varchar -- The sender's own id; null where the log does not say.
  sent_at_utc: timestamp -- When it was sent, UTC.
  tag: varchar -- Template or campaign, as the sender names it; null where the log does not say.
  mobile: varchar -- Number as the log has it; null where it does not say.
  copies: bigint -- How often this line was received.
  match: varchar -- How its report was found, sid or uid; none where there is none yet; repeated where an earlier send of the sid counts; ambiguous where its uid alone does not tell.
  reported_sid: bigint -- Message of core.sms_status it belongs to; null where there is none.
  waiting_hour_utc: timestamp -- Hour it is counted in as long as it has no report; null otherwise.
  country_code: varchar -- Country of the reported number, else of the number in the log, ISO 3166.
  range_operator: varchar -- Operator that number's range was given to.
*/
select
    send.sid,
    send.uid,
    send.sent_at_utc,
    send.tag,
    send.mobile,
    send.copies,
    send.match,
    send.reported_sid,
    case when send.match = 'none' then date_trunc('hour', send.sent_at_utc) end as waiting_hour_utc,
    number.country_code,
    number.range_operator
from matched_sends as send
left join numbers as number
    on number.mobile = send.known_mobile
