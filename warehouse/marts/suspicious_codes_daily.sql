/*
description: Days (UTC) and operators whose failures look made up. Six codes are often invented by intermediaries that sell failures; here all six occur in shares so even that a chi-square test cannot tell them from equal ones. Real causes are not that even.
grain: day_utc, country_code, range_operator
materialized: incremental
delete_by: {day_utc: stale_event_days}
export: file
checks:
  - name: no_codes_look_made_up
    severity: warn
    failing: >
      select day_utc, country_code, range_operator, failures, chi_square
      from marts.suspicious_codes_daily
      where day_utc > (select max(day_utc) from marts.delivery_daily) - 7
columns:
  day_utc: date -- Day of event_time_utc.
  country_code: varchar -- Country of the number, ISO 3166; null where unknown.
  range_operator: varchar -- Operator the number's range was given to; null where unknown.
  failures: bigint -- Messages that failed with one of the six codes.
  fewest: bigint -- Failures of the rarest of the six.
  most: bigint -- Failures of the most frequent of the six.
  chi_square: double -- Sum over the six of (found - expected)^2 / expected; below 11.07, the 95 % point at five degrees of freedom.
  share: double -- Share of all failures of this day, country and operator.
*/
with often_made_up (code_key) as (
    values ('DB:0102'), ('CA:0051'), ('DB:0140'), ('DB:0103'), ('CB:0007'), ('MK:0021')
),

-- one code may be written in several ways
coded as (
    select
        day_utc,
        country_code,
        range_operator,
        carrier_code_key(error_code) as code_key,
        sum(failures) as failures
    from marts.failures_daily
    where day_utc in (select day_utc from stale_event_days)
    group by all
),

whole_day as (
    select
        day_utc,
        country_code,
        range_operator,
        sum(failures) as all_failures,
        sum(failures) filter (where code_key in (select code_key from often_made_up)) as found,
        sum(failures * failures) filter (where code_key in (select code_key from often_made_up))
            as squares,
        min(failures) filter (where code_key in (select code_key from often_made_up)) as fewest,
        max(failures) filter (where code_key in (select code_key from often_made_up)) as most,
        count(*) filter (where code_key in (select code_key from often_made_up)) as codes
    from coded
    group by all
),

tested as (
    select
        day_utc,
        country_code,
        range_operator,
        found,
        fewest,
        most,
        -- the sum over six cells of (o - n/6)^2 / (n/6)
        6 * squares::double / found - found as chi_square,
        rate(found, all_failures) as share
    from whole_day
    where codes = 6
        and found >= 60
)

select
    day_utc,
    country_code,
    range_operator,
    found::bigint as failures,
    fewest::bigint as fewest,
    most::bigint as most,
    chi_square,
    share
from tested
where chi_square < 11.07
