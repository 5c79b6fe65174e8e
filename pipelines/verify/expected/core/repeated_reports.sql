select
    sid,
    push_id,
    position,
    received_us as received_at_utc,
    uid,
    mobile,
    case when success then 'SUCCESS' else 'FAIL' end as report_status,
    handset_us as handset_time_utc,
    handset_raw as handset_time_raw,
    code as error_code,
    detail as error_detail,
    case
        when copy_of_sid = 1 then 'accepted'
        when copy_of_content = 1 then 'conflict'
        else 'duplicate'
    end as outcome
from copy
