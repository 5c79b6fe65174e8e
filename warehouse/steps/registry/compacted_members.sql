/*
description: Rows of ops.compacted_files for the files that were just compacted (compaction_members), from what the registry knows of them.
grain: file
materialized: view
*/
select
    file,
    files.landing_day,
    member.container,
    member.offset_bytes,
    files.bytes,
    files.sha256,
    files.run_id
from compaction_members as member
join ops.files as files using (file)
