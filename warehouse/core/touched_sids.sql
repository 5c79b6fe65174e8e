/*
description: Messages with news in this slice; everything about them is computed anew.
grain: sid
refresh: temporary
*/
select sid
from new_records

union

select sid
from removed_records
