/* Unmapped codes of failures in the period; first and last seen are over all time. */
with in_period as (
    select
        range_operator as operator,
        -- as published: codes that differ only in a phone number are one
        exported_text(error_code, null) as code,
        sum(failures)::bigint as failures
    from marts.failures_daily
    where error_match = 'none'
        and regexp_matches(error_code, '[^\s\v\p{Z}]')
        and day_utc >= getvariable('from_utc')
        and day_utc < getvariable('to_utc')
    group by all
),

seen as (
    select
        operator,
        exported_text(error_code, null) as code,
        min(first_seen_utc) as first_seen_utc,
        max(last_seen_utc) as last_seen_utc,
        min(example_detail) as example_detail
    from marts.unmapped_errors
    group by all
)

select
    in_period.operator,
    in_period.code,
    in_period.failures,
    seen.first_seen_utc,
    seen.last_seen_utc,
    exported_text(seen.example_detail, null) as example
from in_period
left join seen
    on seen.operator is not distinct from in_period.operator
    and seen.code is not distinct from in_period.code
order by failures desc, in_period.operator, in_period.code
limit 50
