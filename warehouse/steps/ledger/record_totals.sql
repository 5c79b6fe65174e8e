/*
description: What the tables hold over all time. The terms of the conservation law come from different tables.
grain: one row
materialized: view
*/
select
    (select count(*) from raw.pushes) as pushes,
    (select coalesce(sum(records), 0)::bigint from raw.pushes) as records,
    (select count(*) from core.sms_status) as messages,
    (select count(*) from core.repeated_reports where outcome = 'duplicate') as duplicates,
    (select count(*) from core.repeated_reports where outcome = 'conflict') as conflicts,
    (select count(*) from raw.rejected_records) as rejected,
    0 as erased
