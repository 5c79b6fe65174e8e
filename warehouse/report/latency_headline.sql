/* Latency percentiles of the period (now) and of the one before it (before). */
with counted as (
    select
        interval,
        case when hour_utc >= getvariable('from_utc') then 'now' else 'before' end as period,
        upper_bound_s,
        sum(n)::bigint as n
    from marts.latency_buckets_hourly
    where (hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc'))
        or (hour_utc >= getvariable('before_from_utc') and hour_utc < getvariable('before_to_utc'))
    group by all
),

ranked as (
    select
        *,
        sum(n) over (partition by interval, period order by upper_bound_s)::bigint as up_to,
        sum(n) over (partition by interval, period)::bigint as total
    from counted
)

select
    interval,
    period,
    any_value(total) as n,
    min(upper_bound_s) filter (where up_to >= 0.5 * total) as p50_s,
    min(upper_bound_s) filter (where up_to >= 0.95 * total) as p95_s,
    min(upper_bound_s) filter (where up_to >= 0.99 * total) as p99_s
from ranked
group by all
order by all
