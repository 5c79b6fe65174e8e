-- Rows of each file of the send log, and how many of them are rejected.
with row as (
    select file, 0 as is_reject from send
    union all
    select file, 1 from rejected_send
)

select file, 'received', count(*) from row group by file
union all
select file, 'rejected', sum(is_reject) from row group by file
