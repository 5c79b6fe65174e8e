-- The twelve most frequent codes as readers see them, with the words of the most frequent example.
with coded as (
    select
        masked(error_code) as code, error_category as category, error_party as party,
        error_match as match, failures, example_detail
    from failure
    where period = 'now'
),

placed as (
    select *, row_number() over (
        partition by code, category, match
        order by example_detail is null, failures desc, example_detail desc
    ) as place
    from coded
)

select
    code, category, party, match,
    sum(failures) as failures,
    rate(sum(failures), sum(sum(failures)) over ()) as share,
    masked(max(iif(place = 1, example_detail, null))) as example,
    (
        select min(meaning)
        from core_carrier_errors as known
        where match <> 'none'
            and known.code_key = code_key(placed.code)
            and known.category = placed.category
    ) as meaning
from placed
group by 1, 2, 3, 4
order by failures desc, code nulls last, category, match
limit 12
