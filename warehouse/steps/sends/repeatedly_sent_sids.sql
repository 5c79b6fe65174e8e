/*
description: Touched sids that stand in more than one row of the send log. Most stand in one and need no contest.
grain: sid
materialized: temporary
*/
select sid
from raw.sends
where sid in (select sid from changed_sids)
group by sid
having count(*) > 1
