/*
description: The row of ops.files for a file that was just compacted (compaction_container); its pushes stay those of its members. A killed process may have left it to be read like any other.
grain: file
materialized: temporary
*/
select
    container.*,
    (select min(landing_day) from ops.files where file in (select file from compaction_parts)) as landing_day,
    0 as pushes,
    'compacted' as state,
    known.run_id
from compaction_container as container
left join ops.files as known using (file)
