-- Bounds of percentiles by {keys}.
select
    {keys}, sum(n) as n,
    percentile_of_buckets(upper_bound_s, n, 0.5) as p50_s,
    percentile_of_buckets(upper_bound_s, n, 0.95) as p95_s,
    percentile_of_buckets(upper_bound_s, n, 0.99) as p99_s
from latency_bucket
where period = {period}
group by {keys}
order by {order}
