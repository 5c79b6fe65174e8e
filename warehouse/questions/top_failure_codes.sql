/*
question: Which carrier codes make up most of the failures, and what does the carrier say?
asked_by: on call
parameters:
  operator: one range_operator; by default all
*/
select
    range_operator,
    error_code,
    error_category,
    sum(failures)::bigint as failures,
    min(example_detail) as example_detail
from marts.failures_daily
where coalesce(getvariable('operator'), range_operator) is not distinct from range_operator
group by range_operator, error_code, error_category
order by failures desc, range_operator, error_code
limit 20
