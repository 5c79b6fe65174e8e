with matched as (
    select
        sent.*,
        case
            when sent.sid is null then lone."match"
            when sent.repeated then 'repeated'
            when message.sid is null then 'none'
            else 'sid'
        end as matched_by,
        case
            when sent.sid is not null and not sent.repeated then message.sid
            when lone."match" = 'uid' then lone.sid
        end as reported_sid
    from sent
    left join lone
        on sent.sid is null
        and lone.uid = sent.uid
    left join core_sms_status as message
        on message.sid = sent.sid
)

select
    matched.sid,
    matched.uid,
    matched.sent_us as sent_at_utc,
    matched.tag,
    matched.mobile,
    matched.copies,
    matched.matched_by as "match",
    matched.reported_sid,
    case when matched.matched_by = 'none' then matched.sent_us - matched.sent_us % 3600000000 end
        as waiting_hour_utc,
    iif(matched.reported_sid is null, matched.country_code, message.country_code) as country_code,
    iif(matched.reported_sid is null, matched.range_operator, message.range_operator)
        as range_operator
from matched
left join core_sms_status as message
    on message.sid = matched.reported_sid
