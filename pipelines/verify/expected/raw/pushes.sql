with outcome as (
    select
        push_id,
        sum(copy_of_content > 1) as duplicates,
        sum(copy_of_content = 1 and copy_of_sid > 1) as conflicts
    from copy
    group by push_id
)

select
    push.push_id,
    push.file,
    push.received_us as received_at_utc,
    push.body_bytes,
    push.sha256,
    push.decoding,
    push.records,
    push.records - push.rejected - coalesce(outcome.duplicates + outcome.conflicts, 0) as accepted,
    coalesce(outcome.duplicates, 0) as duplicates,
    coalesce(outcome.conflicts, 0) as conflicts,
    push.rejected,
    push.repaired_mobiles
from push
left join outcome
    on outcome.push_id = push.push_id
