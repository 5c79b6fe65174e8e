-- How well the code table covers the period.
select
    coalesce(sum(with_code), 0) as with_code,
    coalesce(sum(unmapped), 0) as unmapped,
    rate(sum(unmapped), sum(with_code)) as unmapped_share
from marts_code_coverage_daily
join period
    on day_utc between first_day and last_day
