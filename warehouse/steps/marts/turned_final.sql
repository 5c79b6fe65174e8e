/*
description: Hours that are no longer provisional, or provisional again, because the watermark moved.
grain: hour_utc
materialized: temporary
reads: previous
*/
select distinct mart.hour_utc
from marts.delivery_hourly as mart
cross join watermark
-- before the first reception nothing is final
where mart.hour_utc > least(
        coalesce(watermark.final_until_utc, '-infinity'), coalesce(watermark.final_before_utc, '-infinity')
    )
    and mart.hour_utc <= greatest(watermark.final_until_utc, watermark.final_before_utc)
