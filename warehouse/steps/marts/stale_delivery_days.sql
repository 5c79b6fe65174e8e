/*
description: Days of the stale delivery hours.
grain: day_utc
materialized: temporary
*/
select distinct hour_utc::date as day_utc
from stale_delivery_hours
