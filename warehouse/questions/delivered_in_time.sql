/*
question: Of what we sent, what share was on the handset in time, such as a code that is valid for half a minute? Needs the send log.
asked_by: product manager
parameters:
  tag: one tag of the send log; by default each for itself
  seconds: how long is in time; 30 by default
*/
with message as (
    select
        send.tag,
        status.handset_latency_s
    from core.sends as send
    left join core.sms_status as status
        on status.sid = send.reported_sid
        and status.delivered
    where send.match in ('sid', 'uid', 'none')
        and coalesce(getvariable('tag'), send.tag) is not distinct from send.tag
)

select
    tag,
    count(*) as sent,
    count(*) filter (where handset_latency_s <= coalesce(getvariable('seconds')::double, 30))
        as in_time,
    rate(
        count(*) filter (where handset_latency_s <= coalesce(getvariable('seconds')::double, 30)),
        count(*)
    ) as in_time_share
from message
group by tag
order by in_time_share, tag
