/*
description: Records of the pushes that SQL can take apart with certainty. A push that is in any way out of the ordinary has no row here and is read again, with care, in Python (pipelines/push.py).
grain: push_id, position
refresh: temporary
*/
-- materialized, or the text would be decoded once for every place that looks at it
with value as materialized (
    select
        push.push_id,
        push.received_at_utc,
        form_decode(
            case
                when starts_with(line.body, 'sms_status=') and not contains(line.body, '&')
                then line.body[12:]
                -- beside other parameters: found by its plain name, if it stands there once
                when not regexp_matches(
                    line.body, '(?s)(?:^|&)sms_status=.*&sms_status(?:=|&|$)|(?:^|&)[^=&]*%[^=&]*(?:=|&|$)'
                )
                then nullif(regexp_extract(line.body, '(?:^|&)sms_status=([^&]*)', 1), '')
            end
        ) as once
    from landed_lines as line
    join landed_pushes as push
        on push.push_id = line.push_id
        and push.file = line.file
    where push.lines = 1
),

again as (
    select
        push_id,
        received_at_utc,
        once,
        -- no JSON begins with a percent sign: what does was encoded once more
        case when starts_with(once, '%') then form_decode(once) end as twice
    from value
),

decoded as (
    select
        push_id,
        received_at_utc,
        case
            when twice is null then 'once'
            when starts_with(twice, '%') then 'thrice'
            else 'twice'
        end as decoding,
        case
            when twice is null then once
            when starts_with(twice, '%') then form_decode(twice)
            else twice
        end as text
    from again
),

array_of_records as (
    select
        push_id,
        received_at_utc,
        decoding,
        -- all fields as text: no digit of a 64-bit number passes through a float
        try(from_json(text, '[{
            "sid": "VARCHAR", "uid": "VARCHAR", "mobile": "VARCHAR", "report_status": "VARCHAR",
            "user_receive_time": "VARCHAR", "error_msg": "VARCHAR", "error_detail": "VARCHAR"
        }]')) as records
    from decoded
    where starts_with(text, '[')
        -- DuckDB reads more than JSON (NaN, a trailing comma) and rewrites what is nested or has
        -- a fraction: not plain
        -- (two patterns, for one that begins in two ways takes ten times as long)
        and not regexp_matches(text, ':\s*(?:[\[{]|-?[0-9]+[.eE]|-?[nN][aA]|-?[iI])')
        and not regexp_matches(text, ',\s*[\]}]')
),

element as (
    select
        push_id,
        received_at_utc,
        decoding,
        unnest(records) as record,
        unnest(range(len(records))) as position
    from array_of_records
),

report as (
    select
        push_id,
        position,
        received_at_utc,
        decoding,
        try_cast(record.sid as bigint) as sid,
        record.uid as uid,
        restored_mobile(record.mobile) as mobile,
        record.report_status as report_status,
        record.user_receive_time as handset_time_raw,
        record.error_msg as error_code,
        record.error_detail as error_detail,
        starts_with(record.mobile, ' ') and mobile <> record.mobile as mobile_repaired,
        coalesce(
            regexp_full_match(record.sid, '-?[0-9]+')
            and sid is not null
            and record.report_status in ('SUCCESS', 'FAIL'),
            false
        ) as plain
    from element
)

select
    sid,
    push_id,
    position,
    received_at_utc,
    uid,
    mobile,
    report_status,
    handset_time_raw,
    error_code,
    error_detail,
    decoding,
    coalesce(mobile_repaired, false) as mobile_repaired,
    plain
from report
