/*
description: Landed files whose figures may have changed because a push of theirs came, went, or was attributed anew.
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
