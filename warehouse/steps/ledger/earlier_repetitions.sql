/*
description: Pushes with repetitions of the stale messages, as known before the batch.
grain: push_id
materialized: temporary
reads: previous
*/
select distinct push_id
from core.repeated_reports
where sid in (select sid from stale_sids)
    and outcome <> 'accepted'
