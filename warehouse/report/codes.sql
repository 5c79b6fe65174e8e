/* The most frequent failure codes, their meaning, and the carrier's own text. */
with counted as (
    select
        -- as published: codes that differ only in a phone number are one
        exported_text(error_code, null) as code,
        error_category as category,
        error_party as party,
        error_match as match,
        sum(failures)::bigint as failures,
        rate(sum(failures), sum(sum(failures)) over ()) as share,
        exported_text(arg_max(example_detail, (failures, example_detail)), null) as example
    from marts.failures_daily
    where day_utc >= getvariable('from_utc') and day_utc < getvariable('to_utc')
    group by all
    order by failures desc, code, category, match
    limit 12
),

meanings as (
    select code_key, category, min(meaning) as meaning
    from core.carrier_errors
    group by all
)

select
    counted.*,
    meanings.meaning
from counted
left join meanings
    on meanings.code_key = carrier_code_key(counted.code)
    and meanings.category = counted.category
    and counted.match <> 'none'
order by failures desc, code, category, match
