/* Delivery by country, with the rate of the period before. */
with counted as (
    select
        country_code,
        sum(reports) filter (where hour_utc >= getvariable('from_utc'))::bigint as reports,
        sum(delivered) filter (where hour_utc >= getvariable('from_utc'))::bigint as delivered,
        sum(reports) filter (where hour_utc < getvariable('from_utc'))::bigint as reports_before,
        sum(delivered) filter (where hour_utc < getvariable('from_utc'))::bigint as delivered_before
    from marts.delivery_hourly
    where (hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc'))
        or (hour_utc >= getvariable('before_from_utc') and hour_utc < getvariable('before_to_utc'))
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
    rate(delivered_before, reports_before) as rate_before
from counted
where reports > 0
order by reports desc, country_code
