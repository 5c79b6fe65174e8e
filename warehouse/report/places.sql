/* Delivery by country, and by country and operator, with the rate of the previous period. */
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
        grouping(range_operator) = 1 as by_country,
        country_code,
        range_operator,
        coalesce(sum(reports) filter (where now), 0)::bigint as reports,
        coalesce(sum(delivered) filter (where now), 0)::bigint as delivered,
        sum(sent) filter (where now)::bigint as sent,
        sum(sent_delivered) filter (where now)::bigint as sent_delivered,
        sum(reports) filter (where not now)::bigint as reports_before,
        sum(delivered) filter (where not now)::bigint as delivered_before
    from marked
    group by grouping sets ((country_code), (country_code, range_operator))
)

select
    by_country,
    country_code,
    range_operator,
    reports,
    delivered,
    rate(reports, sum(reports) over (partition by by_country)) as share,
    rate(delivered, reports) as rate,
    wilson_low(delivered, reports) as low,
    wilson_high(delivered, reports) as high,
    rate(delivered_before, reports_before) as rate_before,
    sent,
    rate(sent_delivered, sent) as delivery_rate
from counted
where reports > 0 or sent > 0
order by by_country desc, reports desc, country_code, range_operator
