-- Messages that a single day proves (core_sms_status) and that the warehouse (core.) does not have
-- as often or as early.
select
    day.sid, push.line, day.position, message.sid as stored, message.copies, day.copies,
    message.first_received_at_utc, day.first_received_at_utc
from core_sms_status as day
cross join push
    on push.push_id = day.push_id
left join core.core_sms_status as message
    on message.sid = day.sid
where message.sid is null
    or message.copies < day.copies
    or (message.first_received_at_utc <= day.first_received_at_utc) is not true
order by push.line, day.position
