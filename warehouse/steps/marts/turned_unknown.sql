/*
description: Hours with sends that are no longer pending, or pending again, because the watermark moved.
grain: hour_utc
materialized: temporary
*/
select distinct send.waiting_hour_utc as hour_utc
from core.sends as send
cross join watermark
where send.waiting_hour_utc is not null
    -- before the first reception nothing is unknown
    and send.sent_at_utc > least(
        coalesce(watermark.unknown_until_utc, '-infinity'),
        coalesce(watermark.unknown_before_utc, '-infinity')
    )
    and send.sent_at_utc <= greatest(watermark.unknown_until_utc, watermark.unknown_before_utc)
