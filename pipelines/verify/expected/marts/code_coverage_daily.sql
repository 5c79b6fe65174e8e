-- By which rule the codes of a day's failures were found.
with counted as (
    select
        day_utc, country_code, range_operator,
        sum(failures) as failures,
        sum(failures * has_code) as with_code,
        sum(failures * (has_code and error_match not in ('pattern', 'none'))) as literal,
        sum(failures * (has_code and error_match = 'pattern')) as pattern,
        sum(failures * (has_code and error_match = 'none')) as unmapped
    from (select *, not is_blank(error_code) as has_code from marts_failures_daily)
    group by 1, 2, 3
)

select
    *,
    rate(literal, with_code) as literal_share,
    rate(pattern, with_code) as pattern_share,
    rate(unmapped, with_code) as unmapped_share
from counted
