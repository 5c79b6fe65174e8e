-- How many delivered messages took how long: counted by the three bounds of a message at once,
-- which takes a third of the time of counting interval by interval.
with counted as (
    select
        event_hour_utc as hour_utc, country_code, range_operator,
        bucket(report_lag_s) as report_lag,
        bucket(handset_latency_s) as handset_latency,
        bucket(end_to_end_s) as end_to_end,
        count(*) as n
    from core_sms_status
    where report_status = 'SUCCESS'
    group by 1, 2, 3, 4, 5, 6
),

by_interval as (
    select *, 'report_lag' as interval, report_lag as upper_bound_s from counted
    union all
    select *, 'handset_latency', handset_latency from counted
    union all
    select *, 'end_to_end', end_to_end from counted
)

select hour_utc, country_code, range_operator, interval, upper_bound_s, sum(n) as n
from by_interval
where upper_bound_s is not null
group by 1, 2, 3, 4, 5
