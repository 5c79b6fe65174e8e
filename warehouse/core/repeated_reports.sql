/*
description: Reports that are not the first of their message, attributed in landing order.
grain: push_id, position
refresh: sid in touched_sids
columns:
  sid: bigint -- Message reported again.
  push_id: varchar -- Push that brought the report.
  position: bigint -- Place in the pushed array, counted from 0.
  outcome: varchar -- duplicate (this content was reported before) or conflict (a new content for a known sid).
*/
select
    sid,
    push_id,
    position,
    case when copy_of_content = 1 then 'conflict' else 'duplicate' end as outcome
from contenders
where copy_of_sid > 1
