/*
description: Rejects of the retracted pushes that no batch before this one retracted.
grain: push_id, position
materialized: view
*/
select
    push_id,
    position,
    reason,
    field
from raw.rejected_records
where push_id in (select push_id from retracted_pushes)
    and push_id not in (select push_id from compared_pushes)
