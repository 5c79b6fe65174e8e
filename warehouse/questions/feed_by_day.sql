/*
question: Is the feed healthy? What came in each day, how much of it twice, and what could not be taken.
asked_by: on call
*/
select
    date_trunc('day', hour_utc)::date as day_utc,
    sum(pushes)::bigint as pushes,
    sum(records)::bigint as records,
    rate(sum(duplicates), sum(records)) as duplicate_share,
    sum(conflicts)::bigint as conflicts,
    sum(rejected)::bigint as rejected,
    sum(undecodable_pushes)::bigint as undecodable_pushes
from marts.push_health_hourly
group by day_utc
order by day_utc
