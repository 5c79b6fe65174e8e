-- The same of the ledger of the send log.
with file_count as (
    select run_id, count(*) as n from ops.send_files group by run_id
),

run as (
    select
        ledger.*,
        coalesce(n, 0) as own_files,
        row_number() over previous as place,
        coalesce(lag(sequence) over previous, 0) + 1 as next_sequence,
        coalesce(lag(total_received) over previous, 0) + coalesce(received, 0) as sum_received,
        coalesce(lag(total_sends) over previous, 0) + coalesce(sends, 0) as sum_sends,
        coalesce(lag(total_repeated) over previous, 0) + coalesce(repeated, 0) as sum_repeated,
        coalesce(lag(total_duplicates) over previous, 0) + coalesce(duplicates, 0) as sum_duplicates,
        coalesce(lag(total_rejected) over previous, 0) + coalesce(rejected, 0) as sum_rejected
    from ops.sends_ledger as ledger
    left join file_count on file_count.run_id is not distinct from ledger.run_id
    window previous as (order by sequence, ledger.run_id)
),

figure as (
    select place, run_id, unnest([
        {'name': 'sequence', 'stored': sequence::varchar, 'expected': next_sequence::varchar},
        {'name': 'balanced', 'stored': balanced::varchar, 'expected': 'true'},
        {'name': 'total_received', 'stored': total_received::varchar, 'expected': sum_received::varchar},
        {'name': 'total_sends', 'stored': total_sends::varchar, 'expected': sum_sends::varchar},
        {'name': 'total_repeated', 'stored': total_repeated::varchar, 'expected': sum_repeated::varchar},
        {'name': 'total_duplicates', 'stored': total_duplicates::varchar, 'expected': sum_duplicates::varchar},
        {'name': 'total_rejected', 'stored': total_rejected::varchar, 'expected': sum_rejected::varchar}
    ], recursive := true)
    from run
),

law as (
    select
        place, run_id, 'in the run' as scope, coalesce(received, 0) as received,
        coalesce(sends, 0) + coalesce(repeated, 0) + coalesce(duplicates, 0) + coalesce(rejected, 0)
            as accounted
    from run
    union all
    select
        place, run_id, 'over all time', coalesce(total_received, 0),
        coalesce(total_sends, 0) + coalesce(total_repeated, 0) + coalesce(total_duplicates, 0)
            + coalesce(total_rejected, 0)
    from run
),

fault (place, run_id, kind, sentence) as (
    select place, run_id, 'run', name || ' is ' || shown(stored) || ', expected ' || shown(expected)
    from figure
    where stored is distinct from expected
    union all
    select
        place, run_id, 'run',
        format('{:,} received {}, {:,} accounted for', received::hugeint, scope, accounted::hugeint)
    from law
    where received <> accounted
    union all
    select
        place, run_id, 'run',
        'files is ' || shown(files) || ', but ' || own_files || ' files name this run'
    from run
    where coalesce(files, 0) < own_files
        or (coalesce(files, 0) > own_files and sequence <> 0 and place = (select max(place) from run))
)

select 'ops.sends_ledger', kind, 'run ' || shown(run_id) || ': ' || sentence || '.'
from fault
order by place, sentence
