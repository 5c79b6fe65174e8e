-- Messages that a single day proves (core_sms_status) and that the warehouse (core.) does not have
-- as often or as early: findings, with line and position.
select
    iif(message.sid is null, 'missing', 'differs'),
    'sid ' || day.sid || iif(
        message.sid is null,
        ' has no row.',
        ': ' || ifnull(message.copies, 'no') || ' copies, the first at '
            || shown(message.first_received_at_utc) || ', but this day alone has ' || day.copies
            || ', the first at ' || shown(day.first_received_at_utc) || '.'
    ),
    push.line,
    day.position
from core_sms_status as day
cross join push
    on push.push_id = day.push_id
left join core.core_sms_status as message
    on message.sid = day.sid
where message.sid is null
    or message.copies < day.copies
    or (message.first_received_at_utc <= day.first_received_at_utc) is not true
order by push.line, day.position
