/* Delivered messages by latency bucket. */
with counted as (
    select
        interval,
        upper_bound_s,
        sum(n)::bigint as n
    from marts.latency_buckets_hourly
    where hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc')
    group by all
)

select
    *,
    rate(n, sum(n) over (partition by interval)) as share
from counted
order by interval, upper_bound_s
