/*
description: Changed messages of the batch that no batch before it changed.
grain: sid
materialized: temporary
*/
(
    select sid
    from new_records

    union

    select sid
    from stale_sids
)

except

select sid
from compared_sids
