/*
description: Messages to compute again, beside those of the batch; here every message there is.
grain: sid
materialized: temporary
columns:
  sid: bigint -- Id of the message.
*/
select sid
from core.sms_status

union

select sid
from raw.sends
