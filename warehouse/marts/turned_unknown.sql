/*
description: Hours with sends that are pending no more, or again, for the moment has moved.
grain: hour_utc
refresh: temporary
*/
select distinct send.waiting_hour_utc as hour_utc
from core.sends as send
cross join moment
where send.waiting_hour_utc is not null
    -- before the first reception nothing is unknown
    and send.sent_at_utc > least(
        coalesce(moment.unknown_until_utc, '-infinity'),
        coalesce(moment.unknown_before_utc, '-infinity')
    )
    and send.sent_at_utc <= greatest(moment.unknown_until_utc, moment.unknown_before_utc)
