-- What failed on each day, by cause and code.
with counted as (
    select
        date(event_hour_utc / 1000000, 'unixepoch') as day_utc, country_code, range_operator,
        error_category, error_party, error_permanent, error_code, error_match,
        count(*) as failures,
        min(event_time_utc) as first_seen_utc,
        max(event_time_utc) as last_seen_utc,
        min(error_detail) as example_detail
    from core_sms_status
    where report_status = 'FAIL'
    group by 1, 2, 3, 4, 5, 6, 7, 8
)

select
    day_utc, country_code, range_operator,
    error_category, error_party, error_permanent, error_code, error_match,
    failures,
    rate(failures, sum(failures) over (partition by day_utc, country_code, range_operator))
        as share,
    first_seen_utc, last_seen_utc, example_detail
from counted
