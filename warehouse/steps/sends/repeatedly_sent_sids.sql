/*
description: Changed sids with more than one row in the send log. Most have one and need no ranking.
grain: sid
materialized: temporary
*/
select sid
from raw.sends
where sid in (select sid from changed_sids)
group by sid
having count(*) > 1
