-- Rows of each send file against the recount, in the temporary table recounted_file (file, received, rejected).
with figure as (
    select send_file.file, unnest([
        {'name': 'received', 'stored': send_file.received, 'counted': coalesce(recounted_file.received, 0)},
        {'name': 'rejected', 'stored': send_file.rejected, 'counted': coalesce(recounted_file.rejected, 0)}
    ], recursive := true)
    from send_file
    left join recounted_file on recounted_file.file = send_file.file
)

select
    'ops.send_files', name,
    shown(file) || ': ' || name || ' is ' || shown(stored) || ', but its rows give ' || counted || '.'
from figure
where stored is distinct from counted
order by all
