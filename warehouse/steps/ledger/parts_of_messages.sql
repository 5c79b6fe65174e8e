/*
description: Parts of the export of core.sms_status in which the changed messages lie.
grain: part_day, from_minute_utc
materialized: view
*/
select
    'core.sms_status' as table_name,
    event_hour_utc::date as part_day,
    received_minute_utc as from_minute_utc
from changed_content
