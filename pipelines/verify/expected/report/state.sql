-- As of when, from when on, and how the ledger ends.
select
    (select as_of_utc from marts_as_of) as as_of_utc,
    (select min(hour_utc) from marts_push_health_hourly) as first_received_utc,
    (select min(day_utc) from marts_delivery_daily) as first_day_utc,
    (select max(day_utc) from marts_delivery_daily) as last_day_utc,
    (select max(hour_utc) from marts_delivery_hourly) as last_hour_utc,
    balanced, fingerprint,
    total_records as records, total_messages as messages, total_duplicates as duplicates,
    total_conflicts as conflicts, total_rejected as rejected, total_erased as erased
from (select 1)
left join ops_ledger
    on sequence = (select max(sequence) from ops_ledger)
limit 1
