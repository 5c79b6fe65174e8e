/* Delivery by country, with the rate of the period before. */
with marked as (
    select
        *,
        hour_utc >= getvariable('from_utc') as now
    from marts.delivery_hourly
    where (hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc'))
        or (hour_utc >= getvariable('before_from_utc') and hour_utc < getvariable('before_to_utc'))
),

counted as (
    select
        country_code,
        coalesce(sum(reports) filter (where now), 0)::bigint as reports,
        coalesce(sum(delivered) filter (where now), 0)::bigint as delivered,
        sum(sent) filter (where now)::bigint as sent,
        sum(sent_delivered) filter (where now)::bigint as sent_delivered,
        sum(reports) filter (where not now)::bigint as reports_before,
        sum(delivered) filter (where not now)::bigint as delivered_before
    from marked
    group by all
)

select
    country_code,
    reports,
    delivered,
    rate(reports, sum(reports) over ()) as share,
    rate(delivered, reports) as rate,
    wilson_low(delivered, reports) as low,
    wilson_high(delivered, reports) as high,
    rate(delivered_before, reports_before) as rate_before,
    sent,
    rate(sent_delivered, sent) as delivery_rate
from counted
where reports > 0 or sent > 0
order by reports desc, country_code
