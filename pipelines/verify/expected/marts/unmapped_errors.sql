-- Codes of failures that no rule covers, over all time.
select
    range_operator as operator,
    error_code,
    count(*) as failures,
    min(event_time_utc) as first_seen_utc,
    max(event_time_utc) as last_seen_utc,
    min(error_detail) as example_detail
from core_sms_status
where report_status = 'FAIL'
    and error_match = 'none'
    and not is_blank(error_code)
group by 1, 2
