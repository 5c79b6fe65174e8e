/*
description: Exact latency percentiles per hour, over SUCCESS only. Operators that give minutes only and clocks that differ make negative values normal; they are counted, never clipped.
grain: hour_utc, country_code, range_operator, interval
materialized: incremental
delete_by: {hour_utc: stale_event_hours}
export: day(hour_utc)
columns:
  hour_utc: timestamp -- Hour of event_time_utc.
  country_code: varchar -- Country of the number, ISO 3166; null where unknown.
  range_operator: varchar -- Operator the number's range was given to; null where unknown.
  interval: varchar -- Which interval; report_lag, handset_latency or end_to_end.
  n: bigint -- Delivered messages whose interval is known.
  negative: bigint -- Of these, how many are below zero.
  p50_s: double -- Median in seconds, interpolated between neighbours.
  p90_s: double -- 90th percentile in seconds.
  p95_s: double -- 95th percentile in seconds.
  p99_s: double -- 99th percentile in seconds.
  max_s: double -- Largest value in seconds.
  coverage: double -- n / delivered messages of the hour, country and operator.
  on_the_minute: bigint -- Of n, messages whose time of the handset has :00 seconds; null for end_to_end, which does not use it.
  minutes_only: boolean -- Whether half of n or more lie on the minute, so that this operator gives no seconds; null below 10 and for end_to_end.
*/
with delivered as (
    select
        event_hour_utc as hour_utc,
        country_code,
        range_operator,
        count(*) as messages,
        latency_figures(report_lag_s) as report_lag,
        latency_figures(handset_latency_s) as handset_latency,
        latency_figures(end_to_end_s) as end_to_end,
        count(report_lag_s) filter (where second(handset_time_utc) = 0) as lags_on_the_minute,
        count(handset_latency_s) filter (where second(handset_time_utc) = 0)
            as latencies_on_the_minute
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
        messages,
        unnest(['report_lag', 'handset_latency', 'end_to_end']) as interval,
        unnest([report_lag, handset_latency, end_to_end]) as figures,
        unnest([lags_on_the_minute, latencies_on_the_minute, null]) as on_the_minute
    from delivered
)

select
    hour_utc,
    country_code,
    range_operator,
    interval,
    figures.n as n,
    figures.negative as negative,
    figures.percentiles[1]::double as p50_s,
    figures.percentiles[2]::double as p90_s,
    figures.percentiles[3]::double as p95_s,
    figures.percentiles[4]::double as p99_s,
    figures.max_s as max_s,
    rate(figures.n, messages) as coverage,
    on_the_minute,
    case when figures.n >= 10 then on_the_minute >= figures.n / 2 end as minutes_only
from by_interval
where figures.n > 0
