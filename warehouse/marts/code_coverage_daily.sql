/*
description: How well the code table covers what carriers report, per day (UTC) and operator. To map a code, add a row to warehouse/reference/carrier_errors.csv; the next run looks up all codes again; marts.unmapped_errors lists which.
grain: day_utc, country_code, range_operator
materialized: incremental
delete_by: {day_utc: stale_event_days}
export: file
checks:
  - name: few_codes_are_unmapped
    severity: warn
    failing: >
      select range_operator, sum(unmapped) as unmapped, sum(with_code) as with_code
      from marts.code_coverage_daily
      where day_utc > (select max(day_utc) from marts.code_coverage_daily) - 7
      group by range_operator
      having sum(unmapped) >= 10 and sum(unmapped) > 0.05 * sum(with_code)
columns:
  day_utc: date -- Day of event_time_utc.
  country_code: varchar -- Country of the number, ISO 3166; null where unknown.
  range_operator: varchar -- Operator the number's range was given to; null where unknown.
  failures: bigint -- Messages reported FAIL.
  with_code: bigint -- Of these, those with a code that is not blank; shares are of them.
  literal: bigint -- Codes found as they stand in the table, for this operator, any, or others that agree.
  pattern: bigint -- Codes found by a pattern.
  unmapped: bigint -- Codes that nothing covers.
  literal_share: double -- literal / with_code; null where there is no code.
  pattern_share: double -- pattern / with_code; null where there is no code.
  unmapped_share: double -- unmapped / with_code; null where there is no code.
*/
with cause as (
    select
        day_utc,
        country_code,
        range_operator,
        failures,
        case
            when not coalesce(regexp_matches(error_code, '[^\s\v\p{Z}]'), false) then 'no code'
            when error_match in ('pattern', 'none') then error_match
            else 'literal'
        end as found_by
    from marts.failures_daily
    where day_utc in (select day_utc from stale_event_days)
),

counted as (
    select
        day_utc,
        country_code,
        range_operator,
        sum(failures)::bigint as failures,
        coalesce(sum(failures) filter (where found_by <> 'no code'), 0)::bigint as with_code,
        coalesce(sum(failures) filter (where found_by = 'literal'), 0)::bigint as literal,
        coalesce(sum(failures) filter (where found_by = 'pattern'), 0)::bigint as pattern,
        coalesce(sum(failures) filter (where found_by = 'none'), 0)::bigint as unmapped
    from cause
    group by all
)

select
    day_utc,
    country_code,
    range_operator,
    failures,
    with_code,
    literal,
    pattern,
    unmapped,
    rate(literal, with_code) as literal_share,
    rate(pattern, with_code) as pattern_share,
    rate(unmapped, with_code) as unmapped_share
from counted
