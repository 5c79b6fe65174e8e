/*
description: Days of these hours.
grain: day_utc
materialized: temporary
columns:
  day_utc: date -- Day of event_time_utc.
*/
select distinct hour_utc::date as day_utc
from stale_event_hours
