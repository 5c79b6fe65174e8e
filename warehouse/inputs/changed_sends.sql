/*
description: Keys of the send log whose rows came or went; here every line without a sid.
grain: sid, uid
materialized: temporary
columns:
  sid: bigint -- Id of the message; null where the log does not say.
  uid: varchar -- The sender's own id; null where the log does not say.
*/
select
    sid,
    uid
from raw.sends
where sid is null
