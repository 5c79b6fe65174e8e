/*
description: The numbers of the touched messages, and of sends without a report.
grain: mobile
refresh: temporary
*/
select mobile
from winners

union

select known_mobile
from matched_sends
where reported_sid is null
