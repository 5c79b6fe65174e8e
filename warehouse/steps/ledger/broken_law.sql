/*
description: Pushes and files for which the conservation law does not hold, and the records accepted over all time.
grain: one row
materialized: view
*/
select
    count(*) filter (where records <> accepted + duplicates + conflicts + rejected) as pushes,
    (select count(*) from ops.ledger_by_file where not balanced) as files,
    coalesce(sum(accepted), 0)::bigint as accepted
from raw.pushes
