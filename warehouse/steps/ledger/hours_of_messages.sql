/*
description: Hours in which the changed messages lie. A send without a report is counted in the hour it was sent.
grain: clock, hour_utc
materialized: view
*/
select
    'event' as clock,
    event_hour_utc as hour_utc
from changed_content

union

-- one condition a query, so that each can skip row groups
select
    'event' as clock,
    waiting_hour_utc as hour_utc
from core.sends
where waiting_hour_utc is not null
    and sid in (select sid from changed_sids)

union

select
    'event' as clock,
    waiting_hour_utc as hour_utc
from core.sends
where waiting_hour_utc is not null
    and uid in (select uid from changed_uids)
