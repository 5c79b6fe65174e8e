/*
description: Days of the hours whose counts of delivery change.
grain: day_utc
materialized: temporary
*/
select distinct hour_utc::date as day_utc
from stale_delivery_hours
