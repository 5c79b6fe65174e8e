/*
description: Delivery per day (UTC), added up from marts.delivery_hourly.
grain: day_utc, country_code, range_operator, tag
refresh: day_utc in touched_event_days
export: file
checks:
  - name: adds_up_from_hours
    failing: >
      with by_hour as (select date_trunc('day', hour_utc)::date as day_utc, sum(reports) as n from marts.delivery_hourly group by all),
      by_day as (select day_utc, sum(reports) as n from marts.delivery_daily group by all)
      select * from by_hour full join by_day using (day_utc) where by_hour.n is distinct from by_day.n
columns:
  day_utc: date -- Day of event_time_utc.
  country_code: varchar -- Country of the number, ISO 3166; null where unknown.
  range_operator: varchar -- Operator the number's range was given to; null where unknown.
  tag: varchar -- Tag of the send log; null without one.
  reports: bigint -- Messages with a report.
  delivered: bigint -- Messages reported SUCCESS.
  failed: bigint -- Messages reported FAIL.
  failed_at_recipient: bigint -- Messages that failed at the recipient or the handset.
  reported_delivery_rate: double -- delivered / (delivered + failed).
  reported_delivery_rate_low: double -- Lower end of its Wilson 95 % interval.
  reported_delivery_rate_high: double -- Upper end of its Wilson 95 % interval.
  sent: bigint -- Messages in the send log; null without one.
  pending: bigint -- Sent, no report, younger than 72 h; null without a send log.
  unknown: bigint -- Sent, no report, older than 72 h; null without a send log.
  delivery_rate: double -- delivered / sent; null without a send log.
  receipt_rate: double -- reports / sent; null without a send log.
  effective_rate: double -- delivered / (sent - pending - failed_at_recipient); null without a send log.
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
        sum(pending)::bigint as pending,
        sum(unknown)::bigint as unknown
    from marts.delivery_hourly
    where hour_utc in (
        select unnest(range(day_utc::timestamp, day_utc + interval 1 day, interval 1 hour))
        from touched_event_days
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
    pending,
    unknown,
    rate(delivered, sent) as delivery_rate,
    rate(reports, sent) as receipt_rate,
    rate(delivered, sent - pending - failed_at_recipient) as effective_rate
from daily
