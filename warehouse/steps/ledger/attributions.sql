/*
description: New figures of the pushes whose records turned out to be duplicates or conflicts, or no longer are.
grain: push_id
materialized: temporary
*/
select
    push.push_id,
    coalesce(repetitions.duplicates, 0) as duplicates,
    coalesce(repetitions.conflicts, 0) as conflicts,
    push.readable - coalesce(repetitions.duplicates, 0) - coalesce(repetitions.conflicts, 0)
        as accepted
from changed_pushes as push
left join repetitions
    on repetitions.push_id = push.push_id
where (push.duplicates, push.conflicts)
    <> (coalesce(repetitions.duplicates, 0), coalesce(repetitions.conflicts, 0))
