/*
description: "Sids whose send log entries are matched again: those of changed reports, of sends that came or went, and of sends under a changed uid."
grain: one row or more a sid
materialized: temporary
*/
select sid
from new_records

union all

select sid
from stale_sids

union all

select sid
from changed_sends
where sid is not null

union all

select sid
from known_by_uid
