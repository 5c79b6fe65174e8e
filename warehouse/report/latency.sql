/* Latency percentiles in steps of time: the upper bound of the bucket that holds each. */
with counted as (
    select
        interval,
        time_bucket(getvariable('step'), hour_utc, getvariable('from_utc')) as at_utc,
        upper_bound_s,
        sum(n)::bigint as n
    from marts.latency_buckets_hourly
    where hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc')
    group by all
),

ranked as (
    select
        *,
        sum(n) over (partition by interval, at_utc order by upper_bound_s)::bigint as up_to,
        sum(n) over (partition by interval, at_utc)::bigint as total
    from counted
)

select
    interval,
    at_utc,
    any_value(total) as n,
    min(upper_bound_s) filter (where up_to >= 0.5 * total) as p50_s,
    min(upper_bound_s) filter (where up_to >= 0.95 * total) as p95_s,
    min(upper_bound_s) filter (where up_to >= 0.99 * total) as p99_s
from ranked
group by all
order by all
