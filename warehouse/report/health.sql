/* What was received, in steps of the time of reception: the provider's feed and our receiver. */
with steps as (
    select unnest(range(
        getvariable('from_utc'), getvariable('shown_to_utc'), getvariable('step')
    )) as at_utc
),

counted as (
    select
        time_bucket(getvariable('step'), hour_utc, getvariable('from_utc')) as at_utc,
        sum(pushes)::bigint as pushes,
        sum(records)::bigint as records,
        sum(accepted)::bigint as accepted,
        sum(duplicates)::bigint as duplicates,
        sum(conflicts)::bigint as conflicts,
        sum(rejected)::bigint as rejected,
        sum(undecodable_pushes)::bigint as undecodable_pushes,
        sum(salvaged_pushes)::bigint as salvaged_pushes,
        max(p95_report_lag_s) as worst_p95_report_lag_s
    from marts.push_health_hourly
    where hour_utc >= getvariable('from_utc') and hour_utc < getvariable('to_utc')
    group by all
)

select
    at_utc,
    coalesce(pushes, 0) as pushes,
    coalesce(records, 0) as records,
    coalesce(accepted, 0) as accepted,
    coalesce(duplicates, 0) as duplicates,
    coalesce(conflicts, 0) as conflicts,
    coalesce(rejected, 0) as rejected,
    coalesce(undecodable_pushes, 0) as undecodable_pushes,
    coalesce(salvaged_pushes, 0) as salvaged_pushes,
    worst_p95_report_lag_s
from steps
left join counted using (at_utc)
order by at_utc
