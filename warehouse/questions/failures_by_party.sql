/*
question: With whom do failures lie, and how many would fail again?
asked_by: product manager
*/
select
    error_party,
    error_category,
    error_permanent,
    sum(failures)::bigint as failures,
    sum(failures) / sum(sum(failures)) over () as share
from marts.failures_daily
group by error_party, error_category, error_permanent
order by failures desc, error_category, error_permanent
