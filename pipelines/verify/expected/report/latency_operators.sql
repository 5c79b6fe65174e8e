-- Bounds of percentiles by country and operator, and what only the exact values tell.
select
    bounds.*,
    sum(exact.negative) as negative,
    max(exact.max_s) as max_s,
    iif(sum(exact.n) >= 10, 2 * sum(exact.on_the_minute) >= sum(exact.n), null) as minutes_only
from bounds
cross join period
left join marts_latency_hourly as exact
    on exact.hour_utc >= from_utc and exact.hour_utc < to_utc
    and exact.country_code is bounds.country_code
    and exact.range_operator is bounds.range_operator
    and exact.interval = bounds.interval
group by bounds.country_code, bounds.range_operator, bounds.interval
order by
    bounds.interval, bounds.n desc,
    bounds.country_code nulls last, bounds.range_operator nulls last
