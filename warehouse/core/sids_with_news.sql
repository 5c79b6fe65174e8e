/*
description: Messages that this slice brought something about, or took something away from.
grain: sid
refresh: temporary
*/
select sid
from new_records

union

select sid
from removed_records

union

select sid
from changed_sends
where sid is not null
