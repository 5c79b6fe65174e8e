/*
description: The status of each message, by its winning report.
grain: sid
materialized: incremental
delete_by: {sid: stale_sids}
export: hive(event_time_utc, first_received_at_utc)
private: [mobile, mobile_e164]
free_text: [uid, handset_time_raw, error_code, error_detail, tag]
checks:
  - name: sid_is_unique
    failing: >
      select sid, count(*) as n from core.sms_status
      where sid in (
        select sid from core.sms_status
        where first_received_at_utc >= (select coalesce(min(hour_utc), 'infinity') from ops.stale_hours where clock = 'received')
          and date_trunc('hour', first_received_at_utc) in (select hour_utc from ops.stale_hours where clock = 'received')
      )
      group by sid having n > 1
  - name: delivered_is_the_report_status
    failing: >
      select sid, report_status, delivered from core.sms_status
      where first_received_at_utc >= (select coalesce(min(hour_utc), 'infinity') from ops.stale_hours where clock = 'received')
        and date_trunc('hour', first_received_at_utc) in (select hour_utc from ops.stale_hours where clock = 'received')
        and delivered is distinct from (report_status = 'SUCCESS')
columns:
  sid: bigint -- Id of the message, given by the provider.
  uid: varchar -- The sender's own id; null and '' are different.
  mobile: varchar -- Number as pushed.
  mobile_e164: varchar -- Number in E.164; null where the text is no plausible number.
  country_code: varchar -- Country of the number, ISO 3166.
  range_operator: varchar -- Operator the number's range was given to; numbers are ported.
  report_status: varchar -- SUCCESS or FAIL.
  delivered: boolean -- Whether the handset has the message.
  handset_time_utc: timestamp -- user_receive_time in UTC; on FAIL the time of the report; null where unreadable.
  handset_time_raw: varchar -- user_receive_time as sent.
  event_time_utc: timestamp -- Time everything is grouped by; handset_time_utc where it lies between 2010 and a day after the push that brought the winning content, else first_received_at_utc.
  event_hour_utc: timestamp -- Hour of event_time_utc.
  error_code: varchar -- error_msg as sent.
  error_detail: varchar -- error_detail as sent.
  error_category: varchar -- Kind of failure; delivered on SUCCESS.
  error_party: varchar -- Where the cause lies; recipient, handset, policy, network or sender; null where none.
  error_permanent: varchar -- Whether the same message would fail the same way again; yes, no, unknown; null where it did not fail for good.
  error_match: varchar -- Rule by which the code was found; operator, any_operator, other_operators, pattern or none; null on SUCCESS.
  first_received_at_utc: timestamp -- When the message was first reported, UTC.
  push_id: varchar -- First push that brought the winning content.
  position: bigint -- Place of the winning report in that push, counted from 0.
  copies: bigint -- How often the message was reported.
  conflicting: boolean -- Whether it was reported with more than one content.
  report_lag_s: double -- Seconds from handset_time_utc to the push that brought the winning content; negative where clocks differ.
  sent_at_utc: timestamp -- When the message was sent, from the send log; null without one.
  handset_latency_s: double -- Seconds from sent_at_utc to handset_time_utc; null without a send log.
  end_to_end_s: double -- Seconds from sent_at_utc to the push; null without a send log.
  tag: varchar -- Tag of the send log, such as a template or campaign; null without one.
*/
select
    winner.sid,
    winner.uid,
    winner.mobile,
    number.mobile_e164,
    number.country_code,
    number.range_operator,
    winner.report_status,
    winner.report_status = 'SUCCESS' as delivered,
    handset.handset_time_utc,
    winner.handset_time_raw,
    coalesce(
        plausible_time(handset.handset_time_utc, winner.received_at_utc),
        winner.first_received_at_utc
    ) as event_time_utc,
    date_trunc('hour', event_time_utc) as event_hour_utc,
    winner.error_code,
    winner.error_detail,
    case when winner.report_status = 'SUCCESS' then 'delivered' else meaning.category end
        as error_category,
    meaning.party as error_party,
    meaning.permanent as error_permanent,
    meaning.error_match,
    winner.first_received_at_utc,
    winner.push_id,
    winner.position,
    winner.copies,
    winner.conflicting,
    seconds_between(handset.handset_time_utc, winner.received_at_utc) as report_lag_s,
    send.sent_at_utc,
    seconds_between(send.sent_at_utc, handset.handset_time_utc) as handset_latency_s,
    seconds_between(send.sent_at_utc, winner.received_at_utc) as end_to_end_s,
    send.tag
from winning_reports as winner
left join handset_times as handset
    on handset.handset_time_raw = winner.handset_time_raw
left join numbers as number
    on number.mobile = winner.mobile
left join code_meanings as meaning
    on winner.report_status = 'FAIL'
    and meaning.range_operator is not distinct from number.range_operator
    and meaning.error_code is not distinct from winner.error_code
left join matched_sends as send
    on send.reported_sid = winner.sid
