/*
description: Latency as a histogram per hour, over SUCCESS only. Counts add up over any cut, which percentiles do not.
grain: hour_utc, country_code, range_operator, interval, upper_bound_s
materialized: incremental
delete_by: {hour_utc: stale_event_hours}
export: day(hour_utc)
columns:
  hour_utc: timestamp -- Hour of event_time_utc.
  country_code: varchar -- Country of the number, ISO 3166; null where unknown.
  range_operator: varchar -- Operator the number's range was given to; null where unknown.
  interval: varchar -- Which interval; report_lag, handset_latency or end_to_end.
  upper_bound_s: double -- Upper bound of the bucket in seconds, itself included; the last is infinity.
  n: bigint -- Delivered messages above the bound before and up to this one.
*/
-- counted by the bounds of all intervals first: one look at each message, not one for each interval
with counted as (
    select
        event_hour_utc as hour_utc,
        country_code,
        range_operator,
        latency_bound(report_lag_s) as report_lag,
        latency_bound(handset_latency_s) as handset_latency,
        latency_bound(end_to_end_s) as end_to_end,
        count(*) as n
    from core.sms_status
    where delivered
        and event_hour_utc in (select hour_utc from stale_event_hours)
    group by all
),

by_interval as (
    select
        hour_utc,
        country_code,
        range_operator,
        unnest(['report_lag', 'handset_latency', 'end_to_end']) as interval,
        unnest([report_lag, handset_latency, end_to_end]) as upper_bound_s,
        n
    from counted
)

select
    hour_utc,
    country_code,
    range_operator,
    interval,
    upper_bound_s,
    sum(n)::bigint as n
from by_interval
where upper_bound_s is not null
group by all
