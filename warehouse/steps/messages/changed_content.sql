/*
description: What core.sms_status holds for the changed messages, by hour and minute, with the sums of its row hashes. Arrival (push, copies, times of reception) is not hashed, so that equal reports give equal sums however they came.
grain: event_hour_utc, received_minute_utc
materialized: temporary
*/
with content as (
    select
        event_hour_utc,
        date_trunc('minute', first_received_at_utc) as received_minute_utc,
        md5_number(json_array(
            sid, uid, mobile, mobile_e164, country_code, range_operator, report_status,
            epoch_us(handset_time_utc), handset_time_raw, error_code, error_detail,
            error_category, error_party, error_permanent, error_match, conflicting,
            epoch_us(sent_at_utc), tag
        )::varchar) as hash
    from core.sms_status
    where sid in (
        select sid
        from new_records

        union all

        select sid
        from stale_sids
    )
)

select
    event_hour_utc,
    received_minute_utc,
    count(*) as messages,
    sum((hash >> 64)::ubigint) as low,
    sum((hash & 18446744073709551615)::ubigint) as high
from content
group by all
