/*
description: Files of the batch with a push that came in before with another body, each with the first such push.
grain: file
materialized: view
*/
select line.file, min(line.push_id) as push_id
from landed_envelopes as line
join raw.pushes as push using (push_id)
where line.intact
    and line.sha256 <> push.sha256
group by all
