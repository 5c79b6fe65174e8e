/* Why messages failed, and with whom that lies. */
select
    coalesce(error_party, '–') as "lies with",
    error_category as category,
    sum(failures) as messages,
    round(100 * sum(failures) / sum(sum(failures)) over (), 1) as "% of failures",
    arg_max(error_code, (failures, error_code)) as "most frequent code",
    arg_max(example_detail, (failures, example_detail)) as "the carrier says"
from marts.failures_daily
group by all
order by messages desc
limit 8
