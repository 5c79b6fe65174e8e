/*
question: How many messages were reported by month and country, to hold against the provider's bill?
asked_by: bill payer
*/
select
    date_trunc('month', day_utc)::date as month_utc,
    country_code,
    sum(reports)::bigint as reports,
    sum(delivered)::bigint as delivered
from marts.delivery_daily
where reports > 0
group by month_utc, country_code
order by month_utc, reports desc, country_code
