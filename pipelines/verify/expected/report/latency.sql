-- Bounds of percentiles step by step; a step without measurements has no row.
select
    interval, at_utc,
    sum(n) as n,
    percentile_of_buckets(upper_bound_s, n, 0.5) as p50_s,
    percentile_of_buckets(upper_bound_s, n, 0.95) as p95_s,
    percentile_of_buckets(upper_bound_s, n, 0.99) as p99_s
from latency_bucket
where period = 'now'
group by 1, 2
order by 1, 2
