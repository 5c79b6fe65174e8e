/*
description: "Lines that are not the one intact line of a new push: damaged, known already, or present more than once."
grain: file, push_id
materialized: temporary
*/
select distinct
    line.file,
    line.push_id
from landed_envelopes as line
left join landed_pushes as push
    on push.push_id = line.push_id
where line.push_id is not null
    and (not line.intact or push.push_id is null or push.lines > 1)
