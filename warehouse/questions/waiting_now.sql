/*
question: How many messages wait for a report, and for how long already? Needs the send log.
asked_by: on call
*/
select
    send.range_operator,
    count(*) as waiting,
    min(send.sent_at_utc) as oldest_utc,
    max(date_diff('microsecond', send.sent_at_utc, now.as_of_utc)) / 1e6 as longest_wait_s
from core.sends as send
cross join marts.as_of as now
where send.match = 'none'
    and send.sent_at_utc > now.unknown_until_utc
group by send.range_operator
order by waiting desc, send.range_operator
