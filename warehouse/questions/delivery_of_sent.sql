/*
question: Of what we sent, what arrived, what do we know, and what could have arrived? Needs the send log.
asked_by: product manager
*/
select
    day_utc,
    sum(sent)::bigint as sent,
    rate(sum(sent_delivered), sum(sent)) as delivery_rate,
    rate(sum(sent_reported), sum(sent)) as receipt_rate,
    rate(sum(sent_delivered), sum(sent) - sum(pending) - sum(sent_failed_at_recipient)) as effective_rate,
    bool_or(provisional) as provisional
from marts.delivery_daily
where sent > 0
group by day_utc
order by day_utc
