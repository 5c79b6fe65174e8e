/* Latency by country and operator, with the share of delivered messages it is known for. */
with counted as (
    select
        country_code,
        range_operator,
        interval,
        upper_bound_s,
        sum(n)::bigint as n
    from marts.latency_buckets_hourly
    where hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc')
    group by all
),

ranked as (
    select
        *,
        sum(n) over (
            partition by country_code, range_operator, interval order by upper_bound_s
        )::bigint as up_to,
        sum(n) over (partition by country_code, range_operator, interval)::bigint as total
    from counted
),

percentiles as (
    select
        country_code,
        range_operator,
        interval,
        any_value(total) as n,
        min(upper_bound_s) filter (where up_to >= 0.5 * total) as p50_s,
        min(upper_bound_s) filter (where up_to >= 0.95 * total) as p95_s,
        min(upper_bound_s) filter (where up_to >= 0.99 * total) as p99_s
    from ranked
    group by all
),

extremes as (
    select
        country_code,
        range_operator,
        interval,
        sum(negative)::bigint as negative,
        max(max_s) as max_s
    from marts.latency_hourly
    where hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc')
    group by all
)

select
    percentiles.country_code,
    percentiles.range_operator,
    percentiles.interval,
    n,
    negative,
    p50_s,
    p95_s,
    p99_s,
    max_s,
    null::boolean as minutes_only
from percentiles
left join extremes
    on extremes.country_code is not distinct from percentiles.country_code
    and extremes.range_operator is not distinct from percentiles.range_operator
    and extremes.interval = percentiles.interval
order by interval, n desc, country_code, range_operator
