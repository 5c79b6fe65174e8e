-- The feed and the receiver step by step.
select
    at_utc, coalesce(sum(pushes), 0) as pushes, coalesce(sum(records), 0) as records,
    coalesce(sum(accepted), 0) as accepted, coalesce(sum(duplicates), 0) as duplicates,
    coalesce(sum(conflicts), 0) as conflicts, coalesce(sum(rejected), 0) as rejected,
    coalesce(sum(undecodable_pushes), 0) as undecodable_pushes,
    coalesce(sum(salvaged_pushes), 0) as salvaged_pushes,
    max(p95_report_lag_s) as worst_p95_report_lag_s
from step
left join marts_push_health_hourly
    on hour_utc >= at_utc and hour_utc < until_utc
group by at_utc
order by at_utc
