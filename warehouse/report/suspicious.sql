/* Days and operators whose failures look fabricated by an intermediary. */
select
    day_utc,
    country_code,
    range_operator,
    failures,
    share,
    chi_square
from marts.suspicious_codes_daily
where day_utc >= getvariable('from_utc') and day_utc < getvariable('to_utc')
order by day_utc, failures desc, country_code, range_operator
limit 50
