/*
description: How often each touched message was reported.
grain: sid
refresh: temporary
*/
select
    sid,
    count(*) as copies,
    min(received_at_utc) as first_received_at_utc
from raw.records
where sid in (select sid from touched_sids)
group by sid
