/*
description: Every hour that the marts cover, by both clocks.
grain: clock, hour_utc
materialized: view
*/
select distinct
    'event' as clock,
    event_hour_utc as hour_utc
from core.sms_status

union

select distinct
    'event' as clock,
    waiting_hour_utc as hour_utc
from core.sends
where waiting_hour_utc is not null

union all

select distinct
    'received' as clock,
    date_trunc('hour', received_at_utc) as hour_utc
from raw.pushes
