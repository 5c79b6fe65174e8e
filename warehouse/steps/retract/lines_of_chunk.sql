/*
description: Pushes that lie in the chunk at hand, and the landed file each lay in before compaction.
grain: line of a landed file
materialized: temporary
*/
select
    file,
    push_id
from landed_lines
where push_id is not null
