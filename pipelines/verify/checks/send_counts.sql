-- Rows of each send file against the recount, in the view recounted; its place is the file.
with compared as (
    select file, figure.name, stored, coalesce(counted, '0') as counted
    from send_file
    unpivot include nulls (stored for name in (received, rejected)) as figure
    left join recounted
        on place = file and recounted.name = figure.name
)

select
    'ops.send_files', name,
    shown(file) || ': ' || name || ' is ' || shown(stored) || ', but its rows give ' || counted || '.'
from compared
where stored::varchar is distinct from counted
order by all
