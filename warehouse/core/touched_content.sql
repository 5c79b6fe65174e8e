/*
description: Hashes of what stands in core.sms_status for the touched messages, added up. Arrival (push, copies, times of reception) is left out, so that equal reports give equal sums however they came.
grain: one row
refresh: temporary
*/
with content as (
    select
        concat(
            hash_field(sid),
            hash_field(uid),
            hash_field(mobile),
            hash_field(mobile_e164),
            hash_field(country_code),
            hash_field(range_operator),
            hash_field(report_status),
            hash_field(epoch_us(handset_time_utc)),
            hash_field(handset_time_raw),
            hash_field(error_code),
            hash_field(error_detail),
            hash_field(error_category),
            hash_field(error_party),
            hash_field(error_permanent),
            hash_field(error_match),
            hash_field(conflicting),
            hash_field(epoch_us(sent_at_utc)),
            hash_field(tag)
        ) as text
    from core.sms_status
    where sid in (select sid from touched_sids)
)

select
    count(*) as messages,
    coalesce(sum(md5_number_lower(text)), 0)::hugeint as low,
    coalesce(sum(md5_number_upper(text)), 0)::hugeint as high
from content
