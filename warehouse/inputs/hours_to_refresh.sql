/*
description: Hours whose marts are computed again, by the clock they are of; here every hour there is.
grain: clock, hour_utc
materialized: temporary
columns:
  clock: varchar -- event (event_time_utc) or received (time of the push).
  hour_utc: timestamp -- Hour.
*/
select
    'event' as clock,
    event_hour_utc as hour_utc
from core.sms_status

union

select
    'event',
    waiting_hour_utc
from core.sends
where waiting_hour_utc is not null

union

select
    'received',
    date_trunc('hour', received_at_utc)
from raw.pushes
