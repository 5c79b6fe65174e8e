-- Totals of the ledgers against the recount, in the view recounted.
with total as (
    unpivot (
        select
            'ops.ledger' as place, run_id,
            coalesce(fingerprint, repeat('0', 32)) as fingerprint,
            coalesce(columns('(total_.*)'), 0)::varchar as '\1'
        from last_run
    ) on columns('total_.*|fingerprint') into name name value stored
    union all by name
    unpivot (
        select
            'ops.sends_ledger' as place, run_id, coalesce(columns('(total_.*)'), 0)::varchar as '\1'
        from last_sends_run
    ) on columns('total_.*') into name name value stored
    union all by name
    select
        'ops.ledger' as place, null as run_id, 'pushes' as name,
        coalesce(sum(pushes), 0)::varchar as stored
    from ops.ledger
)

select
    place, name,
    if(name = 'pushes', 'pushes of all runs', 'run ' || shown(run_id) || ': ' || name)
        || ' is ' || stored || ', but the recount gives ' || counted || '.'
from total
join recounted using (place, name)
where stored <> counted
order by all
