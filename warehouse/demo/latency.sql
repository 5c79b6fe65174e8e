/* How long messages took from sending to the handset, by operator. */
select
    country_code as country,
    range_operator as operator,
    sum(n) as messages,
    format('up to {:g} s', percentile_of_buckets(upper_bound_s, n, 0.5)) as "half of them",
    format('up to {:g} s', percentile_of_buckets(upper_bound_s, n, 0.95)) as "95 %"
from marts.latency_buckets_hourly
where interval = 'handset_latency'
group by all
order by messages desc
limit 4
