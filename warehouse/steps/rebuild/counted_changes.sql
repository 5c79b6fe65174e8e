/*
description: How many rows moved from what to what.
grain: what, before, after
materialized: temporary
*/
with moved as (
    select
        'category' as what,
        old_category as before,
        new_category as after
    from changed_messages
    where existed and exists_now

    union all

    select
        'country' as what,
        old_country as before,
        new_country as after
    from changed_messages
    where existed and exists_now

    union all

    select
        'operator' as what,
        old_operator as before,
        new_operator as after
    from changed_messages
    where existed and exists_now

    union all

    select
        'delivered' as what,
        old_delivered::varchar as before,
        new_delivered::varchar as after
    from changed_messages
    where existed and exists_now
)

select
    what,
    before,
    after,
    count(*) as rows
from moved
where before is distinct from after
group by all

union all

select
    'event_time' as what,
    null as before,
    null as after,
    count(*) as rows
from changed_messages
where existed and exists_now and old_time is distinct from new_time
having count(*) > 0

union all

select
    'new' as what,
    null as before,
    new_category as after,
    count(*) as rows
from changed_messages
where not existed
group by all

union all

select
    'gone' as what,
    old_category as before,
    null as after,
    count(*) as rows
from changed_messages
where not exists_now
group by all

union all

select
    'reject' as what,
    old_reason as before,
    new_reason as after,
    count(*) as rows
from changed_rejects
group by all

order by all
