-- Settings of the last run of each ledger that are not those of this recount.
with setting (place, run_id, name, stored, current) as (
    select 'ops.ledger', run_id, unnest(['reference_version', 'provider_timezone']),
        unnest([reference_version, provider_timezone]),
        unnest([getvariable('reference_version'), getvariable('provider_timezone')])
    from last_run
    where sequence <> 0
    union all
    select 'ops.sends_ledger', run_id, 'sends_timezone', sends_timezone, getvariable('sends_timezone')
    from last_sends_run
    where sequence <> 0
)

select
    place, '',
    'run ' || shown(run_id) || ': ' || name || ' is ' || shown(stored) || ', but now it is ' || current
        || '; if that is intended, `dlr run` or `dlr rebuild` updates all rows.'
from setting
where stored is distinct from current
order by all
