/*
description: Known pushes of the files at hand.
grain: push_id
materialized: view
*/
select
    push_id,
    file,
    received_at_utc
from raw.pushes
where file in (select file from retracted_files)
