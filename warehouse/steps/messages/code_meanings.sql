/*
description: "What each failure code of the changed messages means, and by which rule. The literal code comes first: for the number's operator, then for any operator, then where the other operators agree. Patterns come last."
grain: range_operator, error_code
materialized: temporary
*/
with reported as (
    select distinct
        number.range_operator,
        winner.error_code
    from winning_reports as winner
    left join numbers as number
        on number.mobile is not distinct from winner.mobile
    where winner.report_status = 'FAIL'
),

seen as (
    select
        range_operator,
        error_code,
        carrier_code_key(error_code) as code_key
    from reported
),

agreed_elsewhere as (
    select
        code_key,
        min(category) as category,
        case
            when count(distinct coalesce(permanent, '')) = 1 then min(permanent)
            else 'unknown'
        end as permanent
    from core.carrier_errors
    where operator <> '*'
    group by code_key
    having count(distinct category) = 1
),

pattern_hit as (
    select
        seen.range_operator,
        seen.error_code,
        pattern.category,
        pattern.permanent
    from seen
    join reference.carrier_error_patterns as pattern
        on pattern.operator in (seen.range_operator, '*')
        and regexp_matches(seen.code_key, pattern.pattern)
    qualify row_number() over (
        partition by seen.range_operator, seen.error_code
        order by pattern.operator = '*', pattern.line::bigint
    ) = 1
),

matched as (
    select
        seen.range_operator,
        seen.error_code,
        case
            when own.code_key is not null then 'operator'
            when any_operator.code_key is not null then 'any_operator'
            when elsewhere.code_key is not null then 'other_operators'
            when pattern_hit.category is not null then 'pattern'
            else 'none'
        end as error_match,
        coalesce(
            own.category, any_operator.category, elsewhere.category, pattern_hit.category, 'unknown'
        ) as category,
        case error_match
            when 'operator' then own.permanent
            when 'any_operator' then any_operator.permanent
            when 'other_operators' then elsewhere.permanent
            when 'pattern' then nullif(pattern_hit.permanent, 'n/a')
            else 'unknown'
        end as permanent
    from seen
    left join core.carrier_errors as own
        on own.operator = seen.range_operator
        and own.code_key = seen.code_key
    left join core.carrier_errors as any_operator
        on any_operator.operator = '*'
        and any_operator.code_key = seen.code_key
    left join agreed_elsewhere as elsewhere
        on elsewhere.code_key = seen.code_key
    left join pattern_hit
        on pattern_hit.range_operator is not distinct from seen.range_operator
        and pattern_hit.error_code is not distinct from seen.error_code
)

select
    matched.range_operator,
    matched.error_code,
    matched.error_match,
    matched.category,
    nullif(category.party, '') as party,
    matched.permanent
from matched
join reference.error_categories as category
    on category.category = matched.category
