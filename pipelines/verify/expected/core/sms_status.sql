with placed as (
    select
        *,
        case
            when handset_us >= 1262304000000000 and handset_us <= received_us + 86400000000
                then handset_us
            else first_us
        end as event_us
    from winner
)

select
    placed.sid,
    uid,
    mobile,
    mobile_e164,
    country_code,
    range_operator,
    case when success then 'SUCCESS' else 'FAIL' end as report_status,
    success as delivered,
    handset_us as handset_time_utc,
    handset_raw as handset_time_raw,
    event_us as event_time_utc,
    event_us - (event_us % 3600000000 + 3600000000) % 3600000000 as event_hour_utc,
    placed.code as error_code,
    detail as error_detail,
    coalesce(meaning.category, 'delivered') as error_category,
    meaning.party as error_party,
    meaning.permanent as error_permanent,
    meaning."match" as error_match,
    first_us as first_received_at_utc,
    push_id,
    position,
    copies,
    conflicting,
    (received_us - handset_us) / 1e6 as report_lag_s,
    sent_us as sent_at_utc,
    (handset_us - sent_us) / 1e6 as handset_latency_s,
    (received_us - sent_us) / 1e6 as end_to_end_s,
    tag
from placed
left join meaning
    on not placed.success
    and meaning.operator is placed.range_operator
    and meaning.code is placed.code
left join attributed
    on attributed.sid = placed.sid
order by placed.sid
