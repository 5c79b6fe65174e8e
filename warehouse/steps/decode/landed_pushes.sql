/*
description: Pushes of the batch's files that are not in the warehouse yet. A push is known by its id, so a file restored beside its original adds nothing.
grain: push_id
materialized: temporary
*/
select
    push_id,
    min(file) as file,
    arg_min(received_at_utc, file) as received_at_utc,
    arg_min(sha256, file) as sha256,
    arg_min(body_bytes, file) as body_bytes,
    count(*) as lines
from landed_envelopes
where intact
    and push_id not in (select push_id from raw.pushes)
group by push_id
