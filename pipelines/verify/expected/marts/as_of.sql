-- The latest reception, and the instants that follow from it; one row, also before the first push.
with lag as (
    select upper_bound_s, sum(n) as n
    from marts_latency_buckets_hourly
    where interval = 'report_lag'
    group by upper_bound_s
),

climbed as (
    select
        upper_bound_s,
        sum(n) over (order by upper_bound_s) as up_to_here,
        sum(n) over () as total
    from lag
),

settled as (
    -- the first bound with 99 % of the reports, if it is no longer than an hour; else 72 hours
    select coalesce(
        (select min(upper_bound_s) from climbed where 100 * up_to_here >= 99 * total), 9e999
    ) as bound_s
),

instant as (
    select
        (select max(received_at_utc) from raw_pushes) as as_of_utc,
        case when bound_s <= 3600 then bound_s else 72 * 3600.0 end as settled_after_s
    from settled
)

select
    as_of_utc,
    settled_after_s,
    as_of_utc - 3600000000 - cast(settled_after_s * 1000000 as integer) as final_until_utc,
    as_of_utc - 72 * 3600000000 as unknown_until_utc
from instant
