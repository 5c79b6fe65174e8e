/*
description: Hours whose counts of delivery change; those with news, and those in which time alone makes pending sends unknown, or provisional rates final.
grain: hour_utc
refresh: temporary
as_was: [marts.delivery_hourly]
*/
with bounds as (
    -- least and greatest pass over null; before the first reception nothing is unknown or final
    select
        least(
            coalesce(unknown_until_utc, '-infinity'), coalesce(unknown_before_utc, '-infinity')
        ) as unknown_from_utc,
        greatest(unknown_until_utc, unknown_before_utc) as unknown_to_utc,
        least(
            coalesce(final_until_utc, '-infinity'), coalesce(final_before_utc, '-infinity')
        ) as final_from_utc,
        greatest(final_until_utc, final_before_utc) as final_to_utc
    from moment
)

select hour_utc
from touched_event_hours

union

select waiting_hour_utc
from core.sends
where waiting_hour_utc is not null
    and sent_at_utc > (select unknown_from_utc from bounds)
    and sent_at_utc <= (select unknown_to_utc from bounds)

union

select hour_utc
from marts.delivery_hourly
where hour_utc > (select final_from_utc from bounds)
    and hour_utc <= (select final_to_utc from bounds)
