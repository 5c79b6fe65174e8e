/* Counts and rates of the period (now) and of the previous one (before). */
with counted as (
    select
        case when hour_utc >= getvariable('from_utc') then 'now' else 'before' end as period,
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
        coalesce(sum(reports) filter (where provisional), 0)::bigint as provisional_reports
    from marts.delivery_hourly
    where (hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc'))
        or (hour_utc >= getvariable('before_from_utc') and hour_utc < getvariable('before_to_utc'))
    group by all
),

possible as (
    select
        *,
        sent - pending - sent_failed_at_recipient as could_arrive
    from counted
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
from possible
order by period
