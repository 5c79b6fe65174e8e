/*
description: Days of the hours whose counts of delivery change.
grain: day_utc
refresh: temporary
*/
select distinct hour_utc::date as day_utc
from touched_delivery_hours
