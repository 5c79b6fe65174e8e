/*
description: Numbers of the changed messages, and of sends without a report.
grain: mobile
materialized: temporary
*/
select mobile
from winning_reports

union

select known_mobile
from matched_sends
where reported_sid is null
