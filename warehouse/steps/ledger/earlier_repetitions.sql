/*
description: Pushes that brought repetitions of the stale messages, as far as was known before this batch.
grain: push_id
materialized: temporary
reads: previous
*/
select distinct push_id
from core.repeated_reports
where sid in (select sid from stale_sids)
    and outcome <> 'accepted'
