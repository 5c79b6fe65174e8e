-- What the other queries are asked of: the marts in the period (now) and the one before (before).
create temp view asked as
select 'now' as period, from_utc, to_utc from period
union all
select 'before', before_from_utc, before_to_utc from period;

create temp view delivery as
select asked.period, mart.*
from marts_delivery_hourly as mart
join asked on hour_utc >= from_utc and hour_utc < to_utc;

create temp view latency_bucket as
select
    asked.period, mart.*,
    hour_utc - (hour_utc - asked.from_utc) % (step_hours * 3600000000) as at_utc
from marts_latency_buckets_hourly as mart
join asked on hour_utc >= asked.from_utc and hour_utc < asked.to_utc
cross join period;

create temp view failure as
select asked.period, mart.*, unixepoch(day_utc) * 1000000 as at_utc
from marts_failures_daily as mart
join asked on unixepoch(day_utc) * 1000000 >= from_utc and unixepoch(day_utc) * 1000000 < to_utc;

create temp view step as
with recursive at (at_utc, until_utc) as (
    select from_utc, from_utc + step_hours * 3600000000 from period
    union all
    select until_utc, until_utc + step_hours * 3600000000 from at join period
    where until_utc < shown_to_utc
)
select * from at;
