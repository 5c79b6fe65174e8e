/*
description: Failure codes that no literal and no pattern covers. To map one, add a row to warehouse/reference/carrier_errors.csv; the next run looks up all codes again.
grain: operator, error_code
materialized: table
export: file
free_text: [error_code, example_detail]
columns:
  operator: varchar -- Operator of the number; null where unknown.
  error_code: varchar -- error_msg as sent.
  failures: bigint -- Messages that failed with it.
  first_seen_utc: timestamp -- First event_time_utc.
  last_seen_utc: timestamp -- Last event_time_utc.
  example_detail: varchar -- The carrier's own words, one example.
*/
select
    range_operator as operator,
    error_code,
    sum(failures)::bigint as failures,
    min(first_seen_utc) as first_seen_utc,
    max(last_seen_utc) as last_seen_utc,
    min(example_detail) as example_detail
from marts.failures_daily
where error_match = 'none'
    and regexp_matches(error_code, '[^\s\v\p{Z}]')
group by all
