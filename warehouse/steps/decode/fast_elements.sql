/*
description: "Elements of the pushes that SQL can decode: records, or what is wrong with them. A push that is unusual in any way has no row here, or one that is not certain; the slow path decodes it again, in Python (pipelines/decode/slow_path.py)."
grain: push_id, position
materialized: temporary
*/
with value as (
    select
        push_id,
        reception_time(received_at) as received_at_utc,
        case
            -- the usual case: one parameter, whose name stands there once (to cut a long text at a
            -- character is slow, to leave out a word is not)
            when starts_with(body, 'sms_status=')
                and not contains(body, '&')
                and strlen(replace(body, 'sms_status=', '')) = strlen(body) - strlen('sms_status=')
            then replace(body, 'sms_status=', '')
            when starts_with(body, 'sms_status=') and not contains(body, '&')
            then body[12:]
            -- beside other parameters: found by its plain name, if it stands there once
            when not regexp_matches(
                body, '(?s)(?:^|&)sms_status=.*&sms_status(?:=|&|$)|(?:^|&)[^=&]*%[^=&]*(?:=|&|$)'
            )
            then nullif(regexp_extract(body, '(?:^|&)sms_status=([^&]*)', 1), '')
        end as encoded
    from landed_lines
    -- no join with landed_pushes: the planner, which cannot know how many lines a file has, would
    -- keep the lines and go through the pushes, in one thread
    where push_id is not null
        and (file, push_id) not in (select (file, push_id) from skipped_lines)
),

first_time as (
    select
        push_id,
        received_at_utc,
        encoded,
        form_decode(encoded) as once
    from value
),

again as (
    select
        push_id,
        received_at_utc,
        encoded,
        once,
        -- no JSON begins with a percent sign: what does was encoded once more
        case when starts_with(once, '%') then form_decode(once) end as twice
    from first_time
),

decoded as (
    select
        push_id,
        received_at_utc,
        encoded,
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

-- A condition here would be looked at before, and the text decoded once for it: cases, not rows.
json_array as (
    select
        push_id,
        received_at_utc,
        encoded,
        decoding,
        case when starts_with(text, '[') then exact_json(text) end as text
    from decoded
),

-- Where a text begins with a blank, all is decoded once more, to tell a blank that was a plus.
with_marks as (
    select
        push_id,
        received_at_utc,
        decoding,
        text,
        case
            when text is null then null
            when not contains(text, '" ') then '[]'
            when decoding = 'once' then json_plus_marked(tab_decode(encoded))
            when decoding = 'twice' then json_plus_marked(tab_decode(tab_decode(encoded)))
            else json_plus_marked(tab_decode(tab_decode(tab_decode(encoded))))
        end as marked
    from json_array
),

array_of_records as (
    select
        push_id,
        received_at_utc,
        decoding,
        text,
        -- all fields as text: no digit of a 64-bit number passes through a float
        try(from_json(text, '[{
            "sid": "VARCHAR", "uid": "VARCHAR", "mobile": "VARCHAR", "report_status": "VARCHAR",
            "user_receive_time": "VARCHAR", "error_msg": "VARCHAR", "error_detail": "VARCHAR"
        }]')) as records,
        try(from_json(marked, '[{"mobile": "VARCHAR"}]')) as marked_records
    from with_marks
),

element as (
    select
        push_id,
        received_at_utc,
        decoding,
        unnest(records) as record,
        marked_records is null as plus_unknown,
        unnest(case when records is not null then marked_records end) as marked,
        unnest(range(len(records))) as position,
        -- what is no object looks like one without fields: only its JSON tells
        unnest(
            case
                when len(list_filter(
                    records, lambda one: one.sid is null and one.report_status is null
                )) > 0
                then json_extract(text, '$[*]')::varchar[]
            end
        ) as json
    from array_of_records
),

judged as (
    select
        push_id,
        received_at_utc,
        decoding,
        record,
        position,
        json,
        coalesce(lost_plus(record.mobile), false) as begins_with_blank,
        plus_unknown,
        coalesce(starts_with(marked.mobile, chr(9)), false) as began_with_plus,
        case
            when record.sid is null and record.report_status is null and not starts_with(json, '{')
            then 'not_an_object'
            when record.sid is null
                or not regexp_full_match(record.sid, '-?[0-9]+')
                or try_cast(record.sid as bigint) is null
            then 'bad_sid'
            when record.report_status is null or record.report_status not in ('SUCCESS', 'FAIL')
            then 'bad_report_status'
        end as reason
    from element
)

select
    try_cast(record.sid as bigint) as sid,
    push_id,
    position,
    received_at_utc,
    record.uid as uid,
    case
        when begins_with_blank and began_with_plus then '+' || record.mobile[2:]
        else record.mobile
    end as mobile,
    record.report_status as report_status,
    record.user_receive_time as handset_time_raw,
    record.error_msg as error_code,
    record.error_detail as error_detail,
    decoding,
    reason is null and begins_with_blank and began_with_plus as mobile_repaired,
    reason,
    case reason when 'bad_sid' then 'sid' when 'bad_report_status' then 'report_status' end
        as field,
    case reason
        when 'not_an_object' then json[:1000]
        when 'bad_sid' then record.sid[:1000]
        when 'bad_report_status' then record.report_status[:1000]
    end as value,
    (
        -- JSON of other elements can be written in more than one way
        reason is distinct from 'not_an_object'
        or regexp_full_match(json, 'null|true|false|-?[0-9]+|"[^"\\]*"|\[\]')
    )
    and not (begins_with_blank and plus_unknown) as certain
from judged
