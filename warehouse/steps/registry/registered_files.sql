/*
description: Rows of ops.files for the landed files that were read (read_files), with the pushes first taken from each.
grain: file
materialized: view
*/
select
    files.* exclude (reader),
    coalesce(counted.pushes, 0) as pushes
from read_files as files
left join (
    select file, count(*) as pushes
    from raw.pushes
    where file in (select file from read_files)
    group by file
) as counted
    using (file)
