/*
description: Health of the feed and of our receiver, by hour of reception.
grain: hour_utc
materialized: incremental
delete_by: {hour_utc: stale_received_hours}
export: day(hour_utc)
columns:
  hour_utc: timestamp -- Hour of reception.
  pushes: bigint -- Pushes taken.
  records: bigint -- Records in them.
  accepted: bigint -- Records that are the first report of their message.
  duplicates: bigint -- Records that repeat a report to the letter.
  conflicts: bigint -- Records with a new content for a known message.
  rejected: bigint -- Records that could not be taken.
  undecodable_pushes: bigint -- Pushes out of which no array came.
  salvaged_pushes: bigint -- Pushes whose text had to be repaired.
  p95_report_lag_s: double -- 95th percentile of the seconds from user_receive_time to the push, over all readable records with a plausible time.
*/
with push as (
    select
        date_trunc('hour', received_at_utc) as hour_utc,
        count(*) as pushes,
        sum(records)::bigint as records,
        sum(accepted)::bigint as accepted,
        sum(duplicates)::bigint as duplicates,
        sum(conflicts)::bigint as conflicts,
        sum(rejected)::bigint as rejected,
        count(*) filter (where decoding = 'failed') as undecodable_pushes,
        count(*) filter (where decoding = 'salvaged') as salvaged_pushes
    from raw.pushes
    where date_trunc('hour', received_at_utc) in (select hour_utc from stale_received_hours)
    group by all
),

report as (
    select
        first_received_at_utc as received_at_utc,
        handset_time_utc
    from core.sms_status
    where copies = 1

    union all

    select
        received_at_utc,
        handset_time_utc
    from core.repeated_reports
),

lag_by_hour as (
    select
        date_trunc('hour', received_at_utc) as hour_utc,
        quantile_cont(seconds_between(handset_time_utc, received_at_utc), 0.95)
            as p95_report_lag_s
    from report
    where received_at_utc >= (select min(hour_utc) from stale_received_hours)
        and date_trunc('hour', received_at_utc) in (select hour_utc from stale_received_hours)
        and plausible_time(handset_time_utc, received_at_utc) is not null
    group by all
)

select
    push.*,
    lag_by_hour.p95_report_lag_s
from push
left join lag_by_hour
    on lag_by_hour.hour_utc = push.hour_utc
