/*
question: For how many messages that we paid for did no report ever come? Needs the send log.
asked_by: bill payer
*/
select
    date_trunc('month', day_utc)::date as month_utc,
    country_code,
    range_operator,
    sum(sent)::bigint as sent,
    sum(unknown)::bigint as unknown,
    rate(sum(unknown), sum(sent)) as unknown_share
from marts.delivery_daily
where sent > 0
group by month_utc, country_code, range_operator
having sum(unknown) > 0
order by unknown desc, month_utc, country_code, range_operator
