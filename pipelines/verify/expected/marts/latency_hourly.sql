-- Percentiles of the delivered messages of each hour, interval by interval.
with delivered as (
    select
        event_hour_utc as hour_utc, country_code, range_operator, count(*) as messages,
        latency_figures(report_lag_s) as report_lag,
        latency_figures(handset_latency_s) as handset_latency,
        latency_figures(end_to_end_s) as end_to_end,
        sum(handset_time_utc % 60000000 = 0 and report_lag_s is not null) as lags_on_minute,
        sum(handset_time_utc % 60000000 = 0 and handset_latency_s is not null)
            as latencies_on_minute
    from core_sms_status
    where report_status = 'SUCCESS'
    group by 1, 2, 3
),

by_interval as (
    select *, 'report_lag' as interval, report_lag as figures, lags_on_minute as on_the_minute
    from delivered
    union all
    select *, 'handset_latency', handset_latency, latencies_on_minute from delivered
    union all
    select *, 'end_to_end', end_to_end, null from delivered
)

select
    hour_utc, country_code, range_operator, interval,
    figures ->> 'n' as n,
    figures ->> 'negative' as negative,
    figures ->> 'p50' as p50_s,
    figures ->> 'p90' as p90_s,
    figures ->> 'p95' as p95_s,
    figures ->> 'p99' as p99_s,
    figures ->> 'max' as max_s,
    rate(figures ->> 'n', messages) as coverage,
    on_the_minute,
    iif(figures ->> 'n' >= 10, 2 * on_the_minute >= figures ->> 'n', null) as minutes_only
from by_interval
where figures is not null
