/*
description: The row of ops.files for a file that was just compacted (compaction_container); its pushes stay those of its members.
grain: file
materialized: view
*/
select
    container.*,
    (select min(landing_day) from ops.files where file in (select file from compaction_members)) as landing_day,
    0 as pushes,
    'compacted' as state
from compaction_container as container
