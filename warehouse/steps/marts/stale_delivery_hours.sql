/*
description: Hours whose counts of delivery change; those with news, and those in which time alone makes pending sends unknown, or provisional rates final.
grain: hour_utc
materialized: temporary
*/
select hour_utc
from stale_event_hours

union

select hour_utc
from turned_unknown

union

select hour_utc
from turned_final
