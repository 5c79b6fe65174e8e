/*
description: Messages that are known already and carry a uid with news; a send without a sid may come to belong to them, or no more.
grain: sid
refresh: before
*/
select sid
from core.sms_status
where uid in (select uid from touched_uids)
