/*
description: Pushes that brought repetitions of the touched messages, as far as was known before this slice.
grain: push_id
materialized: temporary
reads: previous
*/
select distinct push_id
from core.repeated_reports
where sid in (select sid from stale_sids)
    and outcome <> 'accepted'
