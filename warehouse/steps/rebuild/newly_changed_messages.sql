/*
description: What stands in core.sms_status for these messages before the batch.
grain: sid
materialized: view
*/
select
    sid,
    error_category,
    country_code,
    range_operator,
    event_time_utc,
    delivered
from core.sms_status
where sid in (select sid from newly_changed_sids)
