/*
description: The result of decoding for each new push, by either path.
grain: push_id
materialized: temporary
*/
select
    push_id,
    decoding,
    records,
    repaired_mobiles
from slow_path_pushes

union all

select
    push_id,
    min(decoding) as decoding,
    count(*) as records,
    count(*) filter (where mobile_repaired) as repaired_mobiles
from fast_elements
where push_id not in (select push_id from slow_path_pushes)
group by push_id
