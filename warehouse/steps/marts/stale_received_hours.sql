/*
description: Hours of reception whose marts are computed again.
grain: hour_utc
materialized: temporary
*/
select hour_utc
from hours_to_refresh
where clock = 'received'
