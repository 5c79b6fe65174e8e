/*
description: Messages that carry a uid with news, in their report or in their send; a send without a sid may come to belong to them, or no more.
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
