/*
description: Delivery per day (UTC), added up from marts.delivery_hourly.
grain: day_utc, country_code, range_operator, tag
materialized: incremental
delete_by: {day_utc: stale_delivery_days}
export: file
free_text: [tag]
checks:
  - name: adds_up_from_hours
    failing: >
      with by_hour as (
        select date_trunc('day', hour_utc)::date as day_utc, sum(reports) as reports, sum(sent) as sent,
          sum(pending) as pending, sum(unknown) as unknown
        from marts.delivery_hourly group by all
      ),
      by_day as (
        select day_utc, sum(reports) as reports, sum(sent) as sent, sum(pending) as pending, sum(unknown) as unknown
        from marts.delivery_daily group by all
      )
      select * from by_hour full join by_day using (day_utc)
      where (by_hour.reports, by_hour.sent, by_hour.pending, by_hour.unknown)
        is distinct from (by_day.reports, by_day.sent, by_day.pending, by_day.unknown)
columns:
  day_utc: date -- Day of event_time_utc; of sent_at_utc for messages without a report.
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
  provisional: boolean -- Whether reports of one of its hours are still coming in.
*/
with daily as (
    select
        date_trunc('day', hour_utc)::date as day_utc,
        country_code,
        range_operator,
        tag,
        sum(reports)::bigint as reports,
        sum(delivered)::bigint as delivered,
        sum(failed)::bigint as failed,
        sum(failed_at_recipient)::bigint as failed_at_recipient,
        sum(sent)::bigint as sent,
        sum(sent_reported)::bigint as sent_reported,
        sum(sent_delivered)::bigint as sent_delivered,
        sum(sent_failed_at_recipient)::bigint as sent_failed_at_recipient,
        sum(pending)::bigint as pending,
        sum(unknown)::bigint as unknown,
        sum(sent - pending - sent_failed_at_recipient)::bigint as can_arrive,
        bool_or(provisional) as provisional
    from marts.delivery_hourly
    where hour_utc in (
        select unnest(range(day_utc::timestamp, day_utc + interval 1 day, interval 1 hour))
        from stale_delivery_days
    )
    group by all
)

select
    day_utc,
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
    provisional
from daily
