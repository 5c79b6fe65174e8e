/*
question: Which template or campaign arrives worst, and why? Needs the send log for its tags.
asked_by: product manager
*/
select
    tag,
    count(*) as reports,
    rate(count(*) filter (where delivered), count(*)) as reported_delivery_rate,
    rate(count(*) filter (where error_party = 'policy'), count(*)) as blocked_share,
    mode(error_category order by error_category) filter (where not delivered) as most_frequent_failure
from core.sms_status
where tag is not null
group by tag
order by reported_delivery_rate, tag
