/*
description: Send log entries of the changed keys, each with the message it belongs to.
grain: sid, uid, sent_at_utc, tag, mobile
materialized: temporary
*/
with by_sid as (
    select
        send.*,
        case
            when send.repeated then 'repeated'
            when winner.sid is null then 'none'
            else 'sid'
        end as match,
        case when not send.repeated then winner.sid end as reported_sid,
        winner.mobile as reported_mobile
    from counted_sends as send
    left join winning_reports as winner
        on winner.sid = send.sid
    where send.sid is not null
),

by_uid as (
    select
        send.*,
        matches.match,
        matches.reported_sid,
        winner.mobile as reported_mobile
    from counted_sends as send
    join uid_matches as matches
        on matches.uid = send.uid
    left join winning_reports as winner
        on winner.sid = matches.reported_sid
    where send.sid is null
),

matched as (
    from by_sid

    union all

    from by_uid
)

select
    sid,
    uid,
    sent_at_utc,
    tag,
    mobile,
    copies,
    match,
    reported_sid,
    case when reported_sid is null then mobile else reported_mobile end as known_mobile
from matched
