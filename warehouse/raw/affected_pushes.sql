/*
description: Pushes whose duplicates and conflicts may have changed; the new ones, and those with an earlier report of a touched message that is a repetition now or was one before.
grain: push_id
refresh: temporary
*/
select
    push_id,
    received_at_utc
from landed_pushes

union

select
    push_id,
    received_at_utc
from contenders
