/*
description: Touched messages that are reported more than once, or were known already. Most messages are reported once and need no contest.
grain: sid
materialized: temporary
*/
select sid
from new_records
group by sid
having count(*) > 1

union

select sid
from earlier_messages

union

select sid
from retracted_records
