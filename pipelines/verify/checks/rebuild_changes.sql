-- Changes that no rebuild makes.
select
    'ops.rebuild_changes', 'row',
    shown(run_id) || ': no run makes a change of ' || shown(what) || ' in ' || shown(rows) || ' rows.'
from ops.rebuild_changes
where (
    rows > 0
    and what in (
        'category', 'country', 'operator', 'delivered', 'event_time', 'new', 'gone', 'reject'
    )
    and (
        run_id in (select run_id from ops.ledger)
        -- or its day is folded
        or found_at_utc <= (
            select max(updated_at_utc) from ops.ledger
            where run_id = strftime(updated_at_utc, '%Y-%m-%d')
        )
    )
    and found_at_utc is not null
) is not true
order by all
