/*
description: Landed files whose figures may have changed because one of their pushes came, went, or was counted differently.
grain: file
materialized: temporary
*/
select push.file
from raw.pushes as push
join changed_pushes as changed
    on changed.push_id = push.push_id

union

select file
from retracted_pushes
