-- Bounds of percentiles by country and operator, and what only the exact values tell.
with bounds as (
    select
        country_code, range_operator, interval,
        sum(n) as n,
        percentile_of_buckets(upper_bound_s, n, 0.5) as p50_s,
        percentile_of_buckets(upper_bound_s, n, 0.95) as p95_s,
        percentile_of_buckets(upper_bound_s, n, 0.99) as p99_s
    from latency_bucket
    where period = 'now'
    group by 1, 2, 3
)

select
    bounds.*,
    sum(exact.negative) as negative,
    max(exact.max_s) as max_s,
    iif(sum(exact.n) >= 10, 2 * sum(exact.on_the_minute) >= sum(exact.n), null) as minutes_only
from bounds
join period
left join marts_latency_hourly as exact
    on exact.hour_utc >= from_utc and exact.hour_utc < to_utc
    and exact.country_code is bounds.country_code
    and exact.range_operator is bounds.range_operator
    and exact.interval = bounds.interval
group by bounds.country_code, bounds.range_operator, bounds.interval
order by
    bounds.interval, bounds.n desc,
    bounds.country_code nulls last, bounds.range_operator nulls last
