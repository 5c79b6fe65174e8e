-- Days and operators whose failures look made up.
select day_utc, country_code, range_operator, failures, share, chi_square
from marts_suspicious_codes_daily
join period
    on day_utc between first_day and last_day
order by day_utc, failures desc, country_code nulls last, range_operator nulls last
limit 50
