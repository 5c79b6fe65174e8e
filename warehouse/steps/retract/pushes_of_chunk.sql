/*
description: Known pushes of the files at hand that lie in the chunk at hand.
grain: push_id
materialized: view
*/
select
    push_id,
    file,
    received_at_utc
from raw.pushes
where file in (select file from retracted_files)
    and push_id in (select push_id from lines_of_chunk)
