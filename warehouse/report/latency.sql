/* Latency percentiles in steps of time; each is the upper bound of its bucket. */
select
    interval,
    time_bucket(getvariable('step'), hour_utc, getvariable('from_utc')) as at_utc,
    sum(n)::bigint as n,
    percentile_of_buckets(upper_bound_s, n, 0.5) as p50_s,
    percentile_of_buckets(upper_bound_s, n, 0.95) as p95_s,
    percentile_of_buckets(upper_bound_s, n, 0.99) as p99_s
from marts.latency_buckets_hourly
where hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc')
group by all
order by interval, at_utc
