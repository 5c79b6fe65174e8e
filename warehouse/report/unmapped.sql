/* Failure codes that nothing covers, which failed in the period; when they were seen is over all time. */
with in_period as (
    select
        range_operator as operator,
        error_code,
        sum(failures)::bigint as failures
    from marts.failures_daily
    where error_match = 'none'
        and regexp_matches(error_code, '\S')
        and day_utc >= getvariable('from_utc')
        and day_utc < getvariable('to_utc')
    group by all
)

select
    in_period.operator,
    exported_text(in_period.error_code, null) as code,
    in_period.failures,
    seen.first_seen_utc,
    seen.last_seen_utc,
    exported_text(seen.example_detail, null) as example
from in_period
left join marts.unmapped_errors as seen
    on seen.operator is not distinct from in_period.operator
    and seen.error_code is not distinct from in_period.error_code
order by failures desc, operator, code
limit 50
