/*
question: How many messages went to numbers that will never take them, and would be money saved?
asked_by: bill payer
*/
select
    date_trunc('month', day_utc)::date as month_utc,
    coalesce(sum(failures) filter (where error_category = 'invalid_number'), 0)::bigint as invalid_numbers,
    coalesce(sum(failures) filter (where error_permanent = 'yes'), 0)::bigint as would_fail_again,
    sum(failures)::bigint as failures
from marts.failures_daily
group by month_utc
order by month_utc
