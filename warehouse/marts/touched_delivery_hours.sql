/*
description: Hours whose counts of delivery change; those with news, and those in which time alone makes pending sends unknown, or provisional rates final.
grain: hour_utc
refresh: temporary
as_was: [marts.delivery_hourly]
*/
with turned_unknown as (
    select waiting_hour_utc as hour_utc
    from core.sends
    cross join moment
    left join ops.as_of as before
        on true
    where waiting_hour_utc is not null
        and sent_at_utc <= greatest(moment.unknown_until_utc, before.unknown_until_utc)
        and (
            sent_at_utc > least(moment.unknown_until_utc, before.unknown_until_utc)
            or before.unknown_until_utc is null
        )
),

turned_final as (
    select hour_utc
    from marts.delivery_hourly
    cross join moment
    left join ops.as_of as before
        on true
    where hour_utc <= greatest(moment.final_until_utc, before.final_until_utc)
        and (
            hour_utc > least(moment.final_until_utc, before.final_until_utc)
            or before.final_until_utc is null
        )
)

select hour_utc
from touched_event_hours

union

select hour_utc
from turned_unknown

union

select hour_utc
from turned_final
