-- Counts of the period and of the one before, and their rates with the 95 % intervals.
with counts as (
    select
        period,
        sum(reports) as reports, sum(delivered) as delivered, sum(failed) as failed,
        sum(failed_at_recipient) as failed_at_recipient, sum(sent) as sent,
        sum(sent_reported) as sent_reported, sum(sent_delivered) as sent_delivered,
        sum(sent_failed_at_recipient) as sent_failed_at_recipient,
        sum(pending) as pending, sum(unknown) as unknown,
        sum(iif(provisional, reports, 0)) as provisional_reports,
        sum(sent) - sum(pending) - sum(sent_failed_at_recipient) as could_arrive
    from delivery
    group by period
)

select
    *,
    rate(delivered, reports) as reported_delivery_rate,
    wilson_low(delivered, reports) as reported_delivery_rate_low,
    wilson_high(delivered, reports) as reported_delivery_rate_high,
    rate(sent_delivered, sent) as delivery_rate,
    wilson_low(sent_delivered, sent) as delivery_rate_low,
    wilson_high(sent_delivered, sent) as delivery_rate_high,
    rate(sent_reported, sent) as receipt_rate,
    wilson_low(sent_reported, sent) as receipt_rate_low,
    wilson_high(sent_reported, sent) as receipt_rate_high,
    rate(sent_delivered, could_arrive) as effective_rate,
    wilson_low(sent_delivered, could_arrive) as effective_rate_low,
    wilson_high(sent_delivered, could_arrive) as effective_rate_high
from counts
