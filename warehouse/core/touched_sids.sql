/*
description: Messages with news in this slice, or with a uid that has; everything about them is computed anew.
grain: sid
refresh: temporary
as_was: [core.sms_status]
*/
select sid
from sids_with_news

union

select sid
from core.sms_status
where uid in (select uid from touched_uids)

union

select sid
from raw.sends
where uid in (select uid from touched_uids)
    and sid is not null
