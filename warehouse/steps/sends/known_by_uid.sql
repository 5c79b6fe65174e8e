/*
description: Messages with a changed uid, in their report or in their send. A send without a sid may now belong to them, or no longer.
grain: sid
materialized: temporary
reads: previous
*/
select sid
from core.sms_status
where uid in (select uid from changed_uids)

union

select sid
from raw.sends
where uid in (select uid from changed_uids)
    and sid is not null
