-- Bounds of percentiles of the period and of the one before.
select
    interval, period,
    sum(n) as n,
    percentile_of_buckets(upper_bound_s, n, 0.5) as p50_s,
    percentile_of_buckets(upper_bound_s, n, 0.95) as p95_s,
    percentile_of_buckets(upper_bound_s, n, 0.99) as p99_s
from latency_bucket
group by 1, 2
order by 1, 2
