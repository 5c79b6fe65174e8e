/*
description: Hours of events whose marts are computed again.
grain: hour_utc
materialized: temporary
columns:
  hour_utc: timestamp -- Hour of event_time_utc.
*/
select hour_utc
from hours_to_refresh
where clock = 'event'
