/*
description: Delivery per hour. Rates stand beside their counts and are null, never 0, where their input is missing; docs/measures.md says what each is.
grain: hour_utc, country_code, range_operator, tag
materialized: incremental
delete_by: {hour_utc: stale_delivery_hours}
export: day(hour_utc)
free_text: [tag]
checks:
  - name: outcomes_add_up
    failing: >
      select * from marts.delivery_hourly
      where delivered + failed <> reports
        or sent <> sent_reported + pending + unknown
        or sent_reported > reports
columns:
  hour_utc: timestamp -- Hour of event_time_utc; of sent_at_utc for messages without a report.
  country_code: varchar -- Country of the number, ISO 3166; null where unknown.
  range_operator: varchar -- Operator the number's range was given to; null where unknown.
  tag: varchar -- Tag of the send log; null without one.
  reports: bigint -- Messages with a report.
  delivered: bigint -- Messages reported SUCCESS.
  failed: bigint -- Messages reported FAIL.
  failed_at_recipient: bigint -- Messages that failed at the recipient or the handset.
  reported_delivery_rate: double -- delivered / (delivered + failed), of what was reported; null where nothing was.
  reported_delivery_rate_low: double -- Lower end of its Wilson 95 % interval.
  reported_delivery_rate_high: double -- Upper end of its Wilson 95 % interval.
  sent: bigint -- Messages whose send is known, sent_reported + pending + unknown; null where there is none.
  sent_reported: bigint -- Of sent, those with a report.
  sent_delivered: bigint -- Of sent, those reported SUCCESS.
  sent_failed_at_recipient: bigint -- Of sent, those that failed at the recipient or the handset.
  pending: bigint -- Sent, no report, less than 72 h before as_of_utc of marts.as_of.
  unknown: bigint -- Sent, no report, 72 h or more before as_of_utc of marts.as_of.
  delivery_rate: double -- sent_delivered / sent, of what was sent; null without a send log.
  delivery_rate_low: double -- Lower end of its Wilson 95 % interval.
  delivery_rate_high: double -- Upper end of its Wilson 95 % interval.
  receipt_rate: double -- sent_reported / sent, how much of the truth is known; null without a send log.
  receipt_rate_low: double -- Lower end of its Wilson 95 % interval.
  receipt_rate_high: double -- Upper end of its Wilson 95 % interval.
  effective_rate: double -- sent_delivered / (sent - pending - sent_failed_at_recipient), of what could have arrived; null without a send log.
  effective_rate_low: double -- Lower end of its Wilson 95 % interval.
  effective_rate_high: double -- Upper end of its Wilson 95 % interval.
  provisional: boolean -- Whether reports of this hour are still coming in; see final_until_utc of marts.as_of.
*/
with reported as (
    select
        event_hour_utc as hour_utc,
        country_code,
        range_operator,
        tag,
        count(*) as reports,
        count(*) filter (where delivered) as delivered,
        count(*) filter (where not delivered and error_party in ('recipient', 'handset'))
            as failed_at_recipient,
        count(sent_at_utc) as sent_reported,
        count(sent_at_utc) filter (where delivered) as sent_delivered,
        count(sent_at_utc) filter (where not delivered and error_party in ('recipient', 'handset'))
            as sent_failed_at_recipient,
        0 as pending,
        0 as unknown
    from core.sms_status
    where event_hour_utc in (select hour_utc from stale_delivery_hours)
    group by all
),

unreported as (
    select
        send.waiting_hour_utc as hour_utc,
        send.country_code,
        send.range_operator,
        send.tag,
        0 as reports,
        0 as delivered,
        0 as failed_at_recipient,
        0 as sent_reported,
        0 as sent_delivered,
        0 as sent_failed_at_recipient,
        count(*) filter (where send.sent_at_utc <= watermark.unknown_until_utc is not true) as pending,
        count(*) filter (where send.sent_at_utc <= watermark.unknown_until_utc) as unknown
    from core.sends as send
    cross join watermark
    where send.waiting_hour_utc in (select hour_utc from stale_delivery_hours)
    group by all
),

every as (
    from reported

    union all

    from unreported
),

added_up as (
    select
        hour_utc,
        country_code,
        range_operator,
        tag,
        sum(reports)::bigint as reports,
        sum(delivered)::bigint as delivered,
        sum(failed_at_recipient)::bigint as failed_at_recipient,
        nullif(sum(sent_reported + pending + unknown), 0)::bigint as sent,
        sum(sent_reported)::bigint as sent_reported,
        sum(sent_delivered)::bigint as sent_delivered,
        sum(sent_failed_at_recipient)::bigint as sent_failed_at_recipient,
        sum(pending)::bigint as pending,
        sum(unknown)::bigint as unknown
    from every
    group by all
),

-- where no send is known, nothing that follows from sends is
hourly as (
    select
        hour_utc,
        country_code,
        range_operator,
        tag,
        reports,
        delivered,
        reports - delivered as failed,
        failed_at_recipient,
        sent,
        case when sent > 0 then sent_reported end as sent_reported,
        case when sent > 0 then sent_delivered end as sent_delivered,
        case when sent > 0 then sent_failed_at_recipient end as sent_failed_at_recipient,
        case when sent > 0 then pending end as pending,
        case when sent > 0 then unknown end as unknown,
        sent - added_up.pending - added_up.sent_failed_at_recipient as can_arrive
    from added_up
)

select
    hour_utc,
    country_code,
    range_operator,
    tag,
    reports,
    delivered,
    failed,
    failed_at_recipient,
    rate(delivered, reports) as reported_delivery_rate,
    wilson_low(delivered, reports) as reported_delivery_rate_low,
    wilson_high(delivered, reports) as reported_delivery_rate_high,
    sent,
    sent_reported,
    sent_delivered,
    sent_failed_at_recipient,
    pending,
    unknown,
    rate(sent_delivered, sent) as delivery_rate,
    wilson_low(sent_delivered, sent) as delivery_rate_low,
    wilson_high(sent_delivered, sent) as delivery_rate_high,
    rate(sent_reported, sent) as receipt_rate,
    wilson_low(sent_reported, sent) as receipt_rate_low,
    wilson_high(sent_reported, sent) as receipt_rate_high,
    rate(sent_delivered, can_arrive) as effective_rate,
    wilson_low(sent_delivered, can_arrive) as effective_rate_low,
    wilson_high(sent_delivered, can_arrive) as effective_rate_high,
    coalesce(hour_utc > watermark.final_until_utc, true) as provisional
from hourly
cross join watermark
