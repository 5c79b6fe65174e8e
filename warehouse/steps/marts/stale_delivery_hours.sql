/*
description: "Hours whose delivery counts are stale: hours with changed messages, and hours in which the passing of time alone made pending sends unknown or provisional rates final."
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
