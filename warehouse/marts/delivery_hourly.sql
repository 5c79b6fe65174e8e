/*
description: Delivery per hour. Rates stand beside their counts and are null, never 0, where their input is missing.
grain: hour_utc, country_code, range_operator, tag
refresh: hour_utc in touched_event_hours
export: day(hour_utc)
checks:
  - name: outcomes_add_up
    failing: select * from marts.delivery_hourly where delivered + failed <> reports
columns:
  hour_utc: timestamp -- Hour of event_time_utc.
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
with hourly as (
    select
        event_hour_utc as hour_utc,
        country_code,
        range_operator,
        tag,
        count(*) as reports,
        count(*) filter (where delivered) as delivered,
        count(*) filter (where not delivered) as failed,
        count(*) filter (where not delivered and error_party in ('recipient', 'handset'))
            as failed_at_recipient
    from core.sms_status
    where event_hour_utc in (select hour_utc from touched_event_hours)
    group by all
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
    null::bigint as sent,
    null::bigint as pending,
    null::bigint as unknown,
    null::double as delivery_rate,
    null::double as receipt_rate,
    null::double as effective_rate
from hourly
