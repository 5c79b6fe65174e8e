/* Latency percentiles of the period (now) and of the previous one (before). */
select
    interval,
    case when hour_utc >= getvariable('from_utc') then 'now' else 'before' end as period,
    sum(n)::bigint as n,
    percentile_of_buckets(upper_bound_s, n, 0.5) as p50_s,
    percentile_of_buckets(upper_bound_s, n, 0.95) as p95_s,
    percentile_of_buckets(upper_bound_s, n, 0.99) as p99_s
from marts.latency_buckets_hourly
where (hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc'))
    or (hour_utc >= getvariable('before_from_utc') and hour_utc < getvariable('before_to_utc'))
group by all
order by interval, period
