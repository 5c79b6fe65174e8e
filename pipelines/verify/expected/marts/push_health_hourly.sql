-- The feed and the receiver by hour of reception.
with report as (
    select first_received_at_utc as received_at_utc, handset_time_utc
    from core_sms_status
    where copies = 1
    union all
    select received_at_utc, handset_time_utc
    from core_repeated_reports
),

lag_by_hour as (
    select
        hour_of(received_at_utc) as hour_utc,
        latency_figures((received_at_utc - handset_time_utc) / 1e6) ->> 'p95' as p95_report_lag_s
    from report
    -- a clock that is set: from 2010 to a day ahead of ours
    where handset_time_utc >= unixepoch('2010-01-01') * 1000000
        and handset_time_utc <= received_at_utc + 86400000000
    group by 1
)

select
    hour_of(received_at_utc) as hour_utc,
    count(*) as pushes,
    sum(records) as records,
    sum(accepted) as accepted,
    sum(duplicates) as duplicates,
    sum(conflicts) as conflicts,
    sum(rejected) as rejected,
    sum(decoding = 'failed') as undecodable_pushes,
    sum(decoding = 'salvaged') as salvaged_pushes,
    p95_report_lag_s
from raw_pushes
left join lag_by_hour
    on lag_by_hour.hour_utc = hour_of(received_at_utc)
group by 1
