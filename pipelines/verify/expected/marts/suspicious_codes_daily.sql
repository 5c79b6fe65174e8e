-- Days on which six codes that are often made up failed about equally often.
with coded as (
    select
        day_utc, country_code, range_operator,
        code_key(error_code) as code,
        code_key(error_code)
            in ('DB:0102', 'CA:0051', 'DB:0140', 'DB:0103', 'CB:0007', 'MK:0021') as made_up,
        sum(failures) as n
    from marts_failures_daily
    group by 1, 2, 3, 4
),

six as (
    select
        *,
        sum(n) over place as all_failures,
        sum(made_up) over place as codes,
        sum(n * made_up) over place / 6.0 as expected
    from coded
    window place as (partition by day_utc, country_code, range_operator)
)

select
    day_utc, country_code, range_operator,
    sum(n) as failures,
    min(n) as fewest,
    max(n) as most,
    sum((n - expected) * (n - expected) / expected) as chi_square,
    rate(sum(n), all_failures) as share
from six
where made_up and codes = 6
group by 1, 2, 3
having sum(n) >= 60 and chi_square < 11.07
