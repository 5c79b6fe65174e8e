-- Outcomes by {keys}, and the rate of the period before.
with counted as (
    select
        {keys},
        coalesce(sum(reports) filter (where period = 'now'), 0) as reports,
        coalesce(sum(delivered) filter (where period = 'now'), 0) as delivered,
        sum(reports) filter (where period = 'before') as reports_before,
        sum(delivered) filter (where period = 'before') as delivered_before,
        sum(sent) filter (where period = 'now') as sent,
        sum(sent_delivered) filter (where period = 'now') as sent_delivered
    from delivery
    group by {keys}
)

select
    {keys}, reports, delivered,
    rate(reports, sum(reports) over ()) as share,
    rate(delivered, reports) as rate,
    wilson_low(delivered, reports) as low,
    wilson_high(delivered, reports) as high,
    rate(delivered_before, reports_before) as rate_before,
    sent,
    rate(sent_delivered, sent) as delivery_rate
from counted
where reports > 0 or sent > 0
order by reports desc, {order}
