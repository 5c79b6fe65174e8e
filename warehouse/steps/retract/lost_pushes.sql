/*
description: Known pushes of the files at hand that lay in none of their chunks; the files have lost them.
grain: push_id
materialized: view
*/
select
    push_id,
    file,
    received_at_utc
from raw.pushes
where file in (select file from retracted_files)
    and push_id not in (select push_id from reread_pushes)
