select
    sid,
    version,
    uid,
    mobile,
    case when success then 'SUCCESS' else 'FAIL' end as report_status,
    handset_us as handset_time_utc,
    handset_raw as handset_time_raw,
    code as error_code,
    detail as error_detail,
    content_copies as copies,
    received_us as first_received_at_utc,
    version = 1 as is_winner
from copy
where versions > 1
    and copy_of_content = 1
