/*
question: What share of the failures does the code table not explain, by operator?
asked_by: on call
*/
select
    range_operator,
    sum(failures)::bigint as failures,
    coalesce(sum(failures) filter (where error_category = 'unknown'), 0)::bigint as unexplained,
    coalesce(sum(failures) filter (where error_match = 'none'), 0)::bigint as not_in_the_table,
    rate(unexplained, sum(failures)) as unexplained_share
from marts.failures_daily
group by range_operator
order by unexplained_share desc nulls last, range_operator
