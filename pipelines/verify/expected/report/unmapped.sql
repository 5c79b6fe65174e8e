-- Codes that nothing covers and that failed in the period; when they were seen is over all time.
with counted as (
    select range_operator as operator, masked(error_code) as code, sum(failures) as failures
    from failure
    where period = 'now' and error_match = 'none' and not is_blank(error_code)
    group by 1, 2
)

select
    counted.operator, code, counted.failures,
    min(first_seen_utc) as first_seen_utc,
    max(last_seen_utc) as last_seen_utc,
    masked(min(example_detail)) as example
from counted
left join marts_unmapped_errors as known
    on known.operator is counted.operator and masked(known.error_code) = code
group by counted.operator, code
order by counted.failures desc, counted.operator nulls last, code
limit 50
