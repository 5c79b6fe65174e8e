/*
description: Files that were compacted into the file at hand.
grain: file
materialized: view
*/
select file
from ops.compacted_files
where container in (select file from retracted_files)

union

select file
from lines_of_chunk
