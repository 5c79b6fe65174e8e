/* What became of the messages, by country and operator, over all days. */
select
    case when grouping(country_code) = 1 then 'all' else coalesce(country_code, '–') end
        as country,
    case when grouping(country_code) = 0 then coalesce(range_operator, '–') end as operator,
    sum(sent) as sent,
    sum(sent_delivered) as delivered,
    sum(failed) as failed,
    sum(pending) as pending,
    round(100 * rate(sum(sent_delivered), sum(sent)), 2) as "delivery %",
    round(100 * wilson_low(sum(sent_delivered), sum(sent)), 2) as "from",
    round(100 * wilson_high(sum(sent_delivered), sum(sent)), 2) as "to"
from marts.delivery_daily
group by rollup ((country_code, range_operator))
order by grouping(country_code) desc, sent desc
limit 8
