/*
description: Duplicates and conflicts in each changed push.
grain: push_id
materialized: temporary
*/
select
    push_id,
    count(*) filter (where outcome = 'duplicate') as duplicates,
    count(*) filter (where outcome = 'conflict') as conflicts
from core.repeated_reports
where push_id in (select push_id from changed_pushes)
group by push_id
