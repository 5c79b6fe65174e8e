-- What the registries of files contradict: themselves, each other, the ledgers, raw.pushes.
with pushed as (
    select file, count(*) as n from raw.pushes group by file
),

registered as (
    select 'ops.files' as place, file, landing_day from landed_file
    union all
    select 'ops.compacted_files', file, landing_day from ops.compacted_files
),

folder as (
    select *, split_part(file, '/', -2) as folder from registered
),

dated as (
    select
        place, file, landing_day,
        case when regexp_full_match(folder, '\d{4}-\d\d-\d\d') then try_cast(folder as date) end
            as expected
    from folder
),

fault (place, kind, file, sentence) as (
    select
        'ops.files', 'pushes', landed_file.file,
        'pushes is ' || shown(pushes) || ', but raw.pushes has ' || coalesce(n, 0) || ' of this file'
    from landed_file
    left join pushed on pushed.file = landed_file.file
    where pushes is distinct from coalesce(n, 0)
    union all
    select 'ops.files', 'run', file, 'its run ' || shown(run_id) || ' is not in ops.ledger'
    from landed_file
    where state is distinct from 'compacted'
        and (run_id in (select run_id from ops.ledger)) is not true
    union all
    select 'ops.files', 'state', file, 'state ' || shown(state) || ' contradicts problem'
    from landed_file
    where (problem is null and state in ('taken', 'compacted')
        or problem is not null and state = 'quarantined') is not true
    union all
    select
        'ops.files', 'container', file,
        'it is compacted, but ops.compacted_files lists nothing in it'
    from landed_file
    where state = 'compacted'
        and file not in (select container from ops.compacted_files where container is not null)
    union all
    select
        'ops.compacted_files', 'container', file,
        'its container ' || shown(container) || ' is not in ops.files'
    from ops.compacted_files
    where (container in (select file from ops.files)) is not true
    union all
    select 'ops.compacted_files', 'run', file, 'its run ' || run_id || ' is not in ops.ledger'
    from ops.compacted_files
    where run_id not in (select run_id from ops.ledger where run_id is not null)
    union all
    select
        place, 'day', file,
        'landing_day is ' || shown(landing_day) || ', expected ' || shown(expected)
    from dated
    where file is not null and landing_day is distinct from expected
    union all
    select 'ops.send_files', 'run', file, 'its run ' || shown(run_id) || ' is not in ops.sends_ledger'
    from send_file
    where (run_id in (select run_id from ops.sends_ledger)) is not true
    union all
    select 'ops.send_files', 'state', file, 'state ' || shown(state) || ' contradicts problem'
    from send_file
    where (problem is null and state = 'taken'
        or problem is not null and state = 'quarantined') is not true
)

select place, kind, shown(file) || ': ' || sentence || '.' from fault order by all
