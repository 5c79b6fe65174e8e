/*
description: Days of these hours.
grain: day_utc
materialized: temporary
*/
select distinct hour_utc::date as day_utc
from stale_event_hours
