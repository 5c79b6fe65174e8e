/* Latency by country and operator. */
with percentiles as (
    select
        country_code,
        range_operator,
        interval,
        sum(n)::bigint as n,
        percentile_of_buckets(upper_bound_s, n, 0.5) as p50_s,
        percentile_of_buckets(upper_bound_s, n, 0.95) as p95_s,
        percentile_of_buckets(upper_bound_s, n, 0.99) as p99_s
    from marts.latency_buckets_hourly
    where hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc')
    group by all
),

extremes as (
    select
        country_code,
        range_operator,
        interval,
        sum(negative)::bigint as negative,
        max(max_s) as max_s,
        case when sum(n) >= 10 then 2 * sum(on_the_minute) >= sum(n) end as minutes_only
    from marts.latency_hourly
    where hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc')
    group by all
)

select
    percentiles.*,
    extremes.negative,
    extremes.max_s,
    extremes.minutes_only
from percentiles
left join extremes
    on extremes.country_code is not distinct from percentiles.country_code
    and extremes.range_operator is not distinct from percentiles.range_operator
    and extremes.interval = percentiles.interval
order by interval, n desc, country_code, range_operator
