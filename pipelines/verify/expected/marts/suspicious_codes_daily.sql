-- Days on which six codes that are often made up failed about equally often.
with coded as (
    select day_utc, country_code, range_operator, code_key(error_code) as code, sum(failures) as n
    from marts_failures_daily
    group by 1, 2, 3, 4
),

six as (
    select day_utc, country_code, range_operator, sum(n) / 6.0 as expected
    from coded
    where code in ('DB:0102', 'CA:0051', 'DB:0140', 'DB:0103', 'CB:0007', 'MK:0021')
    group by 1, 2, 3
    having count(*) = 6 and sum(n) >= 60
)

select
    day_utc,
    country_code,
    range_operator,
    sum(n) filter (where made_up) as failures,
    min(n) filter (where made_up) as fewest,
    max(n) filter (where made_up) as most,
    sum((n - expected) * (n - expected) / expected) filter (where made_up) as chi_square,
    rate(sum(n) filter (where made_up), sum(n)) as share
from (
    select
        coded.*,
        expected,
        code in ('DB:0102', 'CA:0051', 'DB:0140', 'DB:0103', 'CB:0007', 'MK:0021') as made_up
    from coded
    join six
        on six.day_utc = coded.day_utc
        and six.country_code is coded.country_code
        and six.range_operator is coded.range_operator
)
group by 1, 2, 3
having chi_square < 11.07
