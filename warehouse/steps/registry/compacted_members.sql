/*
description: Rows of ops.compacted_files for the landed files that were just compacted (compaction_parts), from what the registry knows of them.
grain: file
materialized: temporary
*/
select
    file,
    files.landing_day,
    part.container,
    part.offset_bytes,
    files.bytes,
    files.sha256,
    files.run_id
from compaction_parts as part
join ops.files as files using (file)
where file not like '%.gz'
