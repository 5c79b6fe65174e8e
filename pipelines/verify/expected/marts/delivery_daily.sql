-- A day is the sum of its hours.
with counted as (
    select
        date(hour_utc / 1000000, 'unixepoch') as day_utc, country_code, range_operator, tag,
        sum(reports) as reports, sum(delivered) as delivered, sum(failed) as failed,
        sum(failed_at_recipient) as failed_at_recipient, sum(sent) as sent,
        sum(sent_reported) as sent_reported, sum(sent_delivered) as sent_delivered,
        sum(sent_failed_at_recipient) as sent_failed_at_recipient,
        sum(pending) as pending, sum(unknown) as unknown, max(provisional) as provisional,
        sum(sent) - sum(pending) - sum(sent_failed_at_recipient) as possible
    from marts_delivery_hourly
    group by 1, 2, 3, 4
)

select
    day_utc, country_code, range_operator, tag, reports, delivered, failed, failed_at_recipient,
    rate(delivered, reports) as reported_delivery_rate,
    wilson_low(delivered, reports) as reported_delivery_rate_low,
    wilson_high(delivered, reports) as reported_delivery_rate_high,
    sent, sent_reported, sent_delivered, sent_failed_at_recipient, pending, unknown,
    rate(sent_delivered, sent) as delivery_rate,
    wilson_low(sent_delivered, sent) as delivery_rate_low,
    wilson_high(sent_delivered, sent) as delivery_rate_high,
    rate(sent_reported, sent) as receipt_rate,
    wilson_low(sent_reported, sent) as receipt_rate_low,
    wilson_high(sent_reported, sent) as receipt_rate_high,
    rate(sent_delivered, possible) as effective_rate,
    wilson_low(sent_delivered, possible) as effective_rate_low,
    wilson_high(sent_delivered, possible) as effective_rate_high,
    provisional
from counted
