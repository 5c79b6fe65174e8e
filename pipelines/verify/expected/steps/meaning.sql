/*
What each code of a failure means: the literal code of the operator; of any operator; of other operators, where they
agree on the category; a pattern, of the operator or of any; nothing.
*/
with failure as (
    select distinct range_operator as operator, code, code_key(code) as code_key
    from report
    where not success
),

literal as (
    select operator, code_key(code) as code_key, category, permanent
    from reference_carrier_errors
),

elsewhere as (
    select
        code_key,
        min(category) as category,
        iif(count(distinct permanent) = 1, min(permanent), 'unknown') as permanent
    from literal
    where operator <> '*'
    group by code_key
    having count(distinct category) = 1
),

rule as (
    select
        failure.*, literal.category, literal.permanent,
        iif(literal.operator = '*', 'any_operator', 'operator') as "match",
        iif(literal.operator = '*', 2, 1) as rank
    from failure
    join literal
        on literal.code_key = failure.code_key
        and literal.operator in (failure.operator, '*')

    union all

    select failure.*, elsewhere.category, elsewhere.permanent, 'other_operators', 3
    from failure
    join elsewhere
        on elsewhere.code_key = failure.code_key

    union all

    select
        failure.*, pattern.category, pattern.permanent, 'pattern',
        -- in the order of the file
        iif(pattern.operator = '*', 2000, 1000) + pattern.rowid
    from failure
    join reference_carrier_error_patterns as pattern
        on pattern.operator in (failure.operator, '*')
        and failure.code_key regexp pattern.pattern

    union all

    select *, 'unknown', 'unknown', 'none', 9999
    from failure
)

select
    operator, code, rule.category,
    nullif(party, '') as party,
    nullif(rule.permanent, 'n/a') as permanent,
    "match",
    -- the other columns are of the row that has it
    min(rank) as rank
from rule
join reference_error_categories as category
    on category.category = rule.category
group by operator, code
