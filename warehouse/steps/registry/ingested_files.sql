/*
description: Files in the landing folder that were ingested; for a compacted file, the one that contains it.
grain: landing_day, file
materialized: view
*/
select
    landing_day,
    coalesce(compacted.container, files.file) as file
from ops.files as files
full join ops.compacted_files as compacted
    using (file, landing_day)
