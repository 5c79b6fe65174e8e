/*
question: How many messages were reported each day, what share of them arrived, and how sure is that?
asked_by: product manager
*/
select
    day_utc,
    sum(reports)::bigint as reports,
    sum(delivered)::bigint as delivered,
    rate(sum(delivered), sum(reports)) as reported_delivery_rate,
    wilson_low(sum(delivered), sum(reports)) as low,
    wilson_high(sum(delivered), sum(reports)) as high,
    bool_or(provisional) as provisional
from marts.delivery_daily
where reports > 0
group by day_utc
order by day_utc
