/*
question: Which operator delivers worst, and can that be chance? Where two intervals do not overlap it hardly is.
asked_by: product manager
parameters:
  since: first day (UTC); by default all days
*/
select
    country_code,
    range_operator,
    sum(reports)::bigint as reports,
    rate(sum(delivered), sum(reports)) as reported_delivery_rate,
    wilson_low(sum(delivered), sum(reports)) as low,
    wilson_high(sum(delivered), sum(reports)) as high
from marts.delivery_daily
where reports > 0
    and day_utc >= coalesce(getvariable('since')::date, date '2010-01-01')
group by country_code, range_operator
order by reported_delivery_rate, reports desc, country_code, range_operator
