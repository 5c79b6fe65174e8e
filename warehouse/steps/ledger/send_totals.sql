/*
description: What the tables hold of the send log over all time. Rows received are counted as files are read, the other terms from the tables they became.
grain: one row
materialized: view
*/
select
    (select coalesce(sum(received), 0)::bigint from ops.send_files) as received,
    (select count(*) from core.sends where match <> 'repeated') as sends,
    (select count(*) from core.sends where match = 'repeated') as repeated,
    (select coalesce(sum(copies - 1), 0)::bigint from core.sends) as duplicates,
    (select count(*) from raw.rejected_sends) as rejected
