/*
question: How late do we learn of a delivery? Upper bounds in seconds, from the histogram.
asked_by: on call
*/
select
    date_trunc('day', hour_utc)::date as day_utc,
    sum(n)::bigint as delivered,
    percentile_of_buckets(upper_bound_s, n, 0.5) as p50_at_most_s,
    percentile_of_buckets(upper_bound_s, n, 0.95) as p95_at_most_s,
    percentile_of_buckets(upper_bound_s, n, 0.99) as p99_at_most_s
from marts.latency_buckets_hourly
where interval = 'report_lag'
group by day_utc
order by day_utc
