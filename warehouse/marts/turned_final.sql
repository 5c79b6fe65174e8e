/*
description: Hours that are provisional no more, or again, for the moment has moved.
grain: hour_utc
refresh: before
*/
select distinct mart.hour_utc
from marts.delivery_hourly as mart
cross join moment
-- before the first reception nothing is final
where mart.hour_utc > least(
        coalesce(moment.final_until_utc, '-infinity'), coalesce(moment.final_before_utc, '-infinity')
    )
    and mart.hour_utc <= greatest(moment.final_until_utc, moment.final_before_utc)
