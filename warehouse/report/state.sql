/* What does not depend on the period: the as-of time, the days with data, whether the ledger balances. */
with last_run as (
    select *
    from ops.ledger
    order by sequence desc
    limit 1
)

select
    (select max(as_of_utc) from marts.as_of) as as_of_utc,
    (select min(hour_utc) from marts.push_health_hourly) as first_received_utc,
    (select min(day_utc) from marts.delivery_daily) as first_day_utc,
    (select max(day_utc) from marts.delivery_daily) as last_day_utc,
    (select max(hour_utc) from marts.delivery_hourly) as last_hour_utc,
    last_run.balanced,
    last_run.fingerprint,
    last_run.total_records as records,
    last_run.total_messages as messages,
    last_run.total_duplicates as duplicates,
    last_run.total_conflicts as conflicts,
    last_run.total_rejected as rejected,
    last_run.total_erased as erased
from (select 1) as always
left join last_run on true
