-- Runs of the ledger that do not follow from the run before, or do not balance. Old runs are folded
-- into one row a day, which has the day as its run and the number of its last run.
with file_count as (
    select run_id, count(*) as n
    from (select run_id from ops.files union all select run_id from ops.compacted_files)
    group by run_id
),

run as (
    select
        ledger.*,
        coalesce(n, 0) as own_files,
        row_number() over previous as place,
        if(
            ledger.run_id = strftime(updated_at_utc, '%Y-%m-%d'),
            greatest(sequence, coalesce(lag(sequence) over previous, 0) + 1),
            coalesce(lag(sequence) over previous, 0) + 1
        ) as next_sequence,
        coalesce(lag(total_records) over previous, 0) + coalesce(records, 0) as sum_records,
        coalesce(lag(total_messages) over previous, 0) + coalesce(messages, 0) as sum_messages,
        coalesce(lag(total_duplicates) over previous, 0) + coalesce(duplicates, 0) as sum_duplicates,
        coalesce(lag(total_conflicts) over previous, 0) + coalesce(conflicts, 0) as sum_conflicts,
        coalesce(lag(total_rejected) over previous, 0) + coalesce(rejected, 0) as sum_rejected,
        coalesce(lag(total_erased) over previous, 0) + coalesce(erased, 0) as sum_erased,
        lag(fingerprint, 1, repeat('0', 32)) over previous as last_fingerprint,
        format('{:016x}{:016x}', coalesce(content_high, 0), coalesce(content_low, 0)) as content
    from ops.ledger as ledger
    left join file_count on file_count.run_id is not distinct from ledger.run_id
    window previous as (order by sequence, ledger.run_id)
),

figure as (
    select place, run_id, unnest([
        {'name': 'sequence', 'stored': sequence::varchar, 'expected': next_sequence::varchar},
        {'name': 'balanced', 'stored': balanced::varchar, 'expected': 'true'},
        {'name': 'total_records', 'stored': total_records::varchar, 'expected': sum_records::varchar},
        {'name': 'total_messages', 'stored': total_messages::varchar, 'expected': sum_messages::varchar},
        {'name': 'total_duplicates', 'stored': total_duplicates::varchar, 'expected': sum_duplicates::varchar},
        {'name': 'total_conflicts', 'stored': total_conflicts::varchar, 'expected': sum_conflicts::varchar},
        {'name': 'total_rejected', 'stored': total_rejected::varchar, 'expected': sum_rejected::varchar},
        {'name': 'total_erased', 'stored': total_erased::varchar, 'expected': sum_erased::varchar},
        {'name': 'fingerprint_before', 'stored': fingerprint_before, 'expected': last_fingerprint},
        {'name': 'fingerprint', 'stored': fingerprint, 'expected': content}
    ], recursive := true)
    from run
),

law as (
    select
        place, run_id, 'in the run' as scope, coalesce(records, 0) as received,
        coalesce(messages, 0) + coalesce(duplicates, 0) + coalesce(conflicts, 0)
            + coalesce(rejected, 0) + coalesce(erased, 0) as accounted
    from run
    union all
    select
        place, run_id, 'over all time', coalesce(total_records, 0),
        coalesce(total_messages, 0) + coalesce(total_duplicates, 0) + coalesce(total_conflicts, 0)
            + coalesce(total_rejected, 0) + coalesce(total_erased, 0)
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
    -- a re-ingested file counts for its last run, so only the newest run still has all of its files
    where coalesce(files, 0) < own_files
        or (coalesce(files, 0) > own_files and sequence <> 0 and place = (select max(place) from run))
    union all
    select
        place, run_id, 'run',
        'it began at ' || shown(started_at_utc) || ' and ended at ' || shown(updated_at_utc)
    from run
    where (started_at_utc <= updated_at_utc) is not true
)

select 'ops.ledger', kind, 'run ' || shown(run_id) || ': ' || sentence || '.'
from fault
order by place, sentence
