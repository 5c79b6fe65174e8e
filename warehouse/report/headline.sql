/* Counts and rates of the period (now) and of the one before it (before). */
with counted as (
    select
        case when hour_utc >= getvariable('from_utc') then 'now' else 'before' end as period,
        sum(reports)::bigint as reports,
        sum(delivered)::bigint as delivered,
        sum(failed)::bigint as failed,
        sum(failed_at_recipient)::bigint as failed_at_recipient,
        sum(sent)::bigint as sent,
        sum(pending)::bigint as pending,
        sum(unknown)::bigint as unknown
    from marts.delivery_hourly
    where (hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc'))
        or (hour_utc >= getvariable('before_from_utc') and hour_utc < getvariable('before_to_utc'))
    group by all
)

select
    *,
    rate(delivered, reports) as reported_delivery_rate,
    wilson_low(delivered, reports) as reported_delivery_rate_low,
    wilson_high(delivered, reports) as reported_delivery_rate_high
from counted
order by period
