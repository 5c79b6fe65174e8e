/*
description: Hours in which the changed pushes were received.
grain: clock, hour_utc
materialized: view
*/
select
    'received' as clock,
    date_trunc('hour', received_at_utc) as hour_utc
from changed_pushes

union

select
    'received' as clock,
    date_trunc('hour', received_at_utc) as hour_utc
from retracted_pushes
