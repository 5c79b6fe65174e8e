/*
description: Changed messages with more than one report, or known before. Most messages are reported once and need no ranking.
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
