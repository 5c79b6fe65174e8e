-- Outcomes step by step; a step without messages has zeros.
select
    at_utc, coalesce(sum(reports), 0) as reports, coalesce(sum(delivered), 0) as delivered,
    coalesce(sum(failed), 0) as failed,
    rate(sum(delivered), sum(reports)) as rate,
    wilson_low(sum(delivered), sum(reports)) as low,
    wilson_high(sum(delivered), sum(reports)) as high,
    sum(sent) as sent, sum(pending) as pending, sum(unknown) as unknown,
    rate(sum(sent_delivered), sum(sent)) as delivery_rate,
    coalesce(max(provisional), 0) as provisional
from step
left join marts_delivery_hourly
    on hour_utc >= at_utc and hour_utc < until_utc
group by at_utc
order by at_utc
