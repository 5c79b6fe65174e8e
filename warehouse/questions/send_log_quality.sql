/*
question: Can the figures over what was sent be trusted? What became of each line of the send log.
asked_by: product manager
*/
select
    match,
    count(*) as lines,
    sum(copies)::bigint as received,
    rate(count(*), sum(count(*)) over ()) as share
from core.sends
group by match
order by lines desc, match
