-- How the latencies of the period fall into the buckets.
select
    interval, upper_bound_s, sum(n) as n,
    rate(sum(n), sum(sum(n)) over (partition by interval)) as share
from latency_bucket
where period = 'now'
group by 1, 2
order by 1, 2
