/*
description: Messages that are not what they were, but for those that new pushes brought.
grain: sid
materialized: temporary
*/
select
    before.sid is not null as existed,
    after.sid is not null as exists_now,
    before.error_category as old_category,
    after.error_category as new_category,
    before.country_code as old_country,
    after.country_code as new_country,
    before.range_operator as old_operator,
    after.range_operator as new_operator,
    before.event_time_utc as old_time,
    after.event_time_utc as new_time,
    before.delivered as old_delivered,
    after.delivered as new_delivered
from messages_before as before
full join messages_after as after
    on after.sid = before.sid
where coalesce(after.push_id not in (select push_id from fresh_pushes), true)
    and (
        before.sid, before.error_category, before.country_code, before.range_operator,
        before.event_time_utc, before.delivered
    ) is distinct from (
        after.sid, after.error_category, after.country_code, after.range_operator,
        after.event_time_utc, after.delivered
    )
