/*
description: Hours of reception whose marts are computed again.
grain: hour_utc
materialized: temporary
columns:
  hour_utc: timestamp -- Hour of reception.
*/
select hour_utc
from hours_to_refresh
where clock = 'received'
