/*
description: Rows of the batch's send files, typed and checked. A row without a reason is accepted.
grain: file, position
materialized: temporary
*/
with typed as (
    select
        file,
        position,
        whole,
        present(sid) as sid_text,
        sid_or_null(sid) as sid,
        present(uid) as uid,
        present(sent_at) as sent_at,
        sent_time(sent_at, getvariable('sends_timezone')) as sent_at_utc,
        present(tag) as tag,
        present(mobile) as mobile
    from send_rows
),

judged as (
    select
        *,
        case
            when whole is not null then 'not_a_row'
            when sid_text is null and uid is null then 'no_key'
            when sid_text is not null and sid is null then 'bad_sid'
            when sent_at_utc is null then 'bad_sent_at'
        end as reason
    from typed
)

select
    file,
    position,
    sid,
    uid,
    sent_at_utc,
    tag,
    mobile,
    reason,
    case reason when 'bad_sid' then 'sid' when 'bad_sent_at' then 'sent_at' end as field,
    left(case reason when 'not_a_row' then whole when 'bad_sid' then sid_text when 'bad_sent_at' then sent_at end, 1000)
        as value
from judged
