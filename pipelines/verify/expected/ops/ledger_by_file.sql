select
    file,
    count(*) as pushes,
    sum(records) as records,
    sum(accepted) as messages,
    sum(duplicates) as duplicates,
    sum(conflicts) as conflicts,
    sum(rejected) as rejected,
    0 as erased,
    min(records = accepted + duplicates + conflicts + rejected) as balanced,
    min(received_at_utc) as first_received_at_utc,
    max(received_at_utc) as last_received_at_utc
from raw_pushes
group by file
