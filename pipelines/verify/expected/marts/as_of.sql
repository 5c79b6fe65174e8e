-- The latest reception, and the instants that follow from it; nulls before the first push, no row
-- before there is anything to count.
with climbed as (
    select
        upper_bound_s,
        sum(sum(n)) over (order by upper_bound_s) as up_to_here,
        sum(sum(n)) over () as total
    from marts_latency_buckets_hourly
    where interval = 'report_lag'
    group by upper_bound_s
)

-- settled: the first bound with 99 % of the reports, if it is no longer than an hour; else 72 hours
select
    as_of_utc,
    settled_after_s,
    as_of_utc - 3600000000 - cast(settled_after_s * 1000000 as integer) as final_until_utc,
    as_of_utc - 72 * 3600000000 as unknown_until_utc
from (select max(received_at_utc) as as_of_utc from raw_pushes)
cross join (
    select coalesce(min(nullif(upper_bound_s, 9e999)), 72 * 3600.0) as settled_after_s
    from climbed
    where 100 * up_to_here >= 99 * total
)
where as_of_utc is not null
    or exists (select 1 from core_sends where waiting_hour_utc is not null)
