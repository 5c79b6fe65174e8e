/*
description: Rows of ops.send_files for the files of the send log that were read (read_files), with their rows counted.
grain: file
materialized: view
*/
select
    files.* exclude (landing_day),
    count(row.file) as received,
    count(row.reason) as rejected
from read_files as files
left join read_sends as row
    on row.file = files.file
group by all
