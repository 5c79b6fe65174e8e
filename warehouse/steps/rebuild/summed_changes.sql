/*
description: What the run changed so far. One run may compute messages again, and then ingest landing days again.
grain: run_id, what, before, after
materialized: temporary
*/
with change as (
    select
        getvariable('run_id') as run_id,
        now() at time zone 'UTC' as found_at_utc,
        what,
        before,
        after,
        rows
    from counted_changes

    union all

    select
        run_id,
        found_at_utc,
        what,
        before,
        after,
        rows
    from ops.rebuild_changes
    where run_id = getvariable('run_id')
)

select
    run_id,
    max(found_at_utc) as found_at_utc,
    what,
    before,
    after,
    sum(rows)::bigint as rows
from change
group by all
