/*
description: "The time the marts describe from now on: the latest reception, and how long reports take to come in. The previous watermark stands beside it."
grain: one row
materialized: temporary
*/
with bucket as (
    select
        upper_bound_s,
        sum(n) as n
    from marts.latency_buckets_hourly
    where interval = 'report_lag'
    group by upper_bound_s
),

lag as (
    select percentile_of_buckets(upper_bound_s, n, 0.99) as p99_s
    from bucket
),

reception as (
    select max(received_at_utc) as as_of_utc
    from raw.pushes
),

settled as (
    select
        reception.as_of_utc,
        -- above the largest bound, or where nothing was measured yet: as long as reports may take
        case when lag.p99_s <= 3600 then lag.p99_s else 259200.0 end as settled_after_s
    from reception
    cross join lag
)

select
    settled.as_of_utc,
    settled.settled_after_s,
    settled.as_of_utc - interval 1 hour - to_seconds(settled.settled_after_s) as final_until_utc,
    settled.as_of_utc - interval 72 hour as unknown_until_utc,
    before.final_until_utc as final_before_utc,
    before.unknown_until_utc as unknown_before_utc
from settled
left join previous_watermark as before
    on true
