/*
description: Failures per day (UTC), and their causes.
grain: day_utc, country_code, range_operator, error_category, error_code, error_match
materialized: incremental
delete_by: {day_utc: stale_event_days}
export: file
free_text: [error_code, example_detail]
checks:
  - name: failures_are_those_of_delivery_daily
    failing: >
      with causes as (select day_utc, sum(failures) as n from marts.failures_daily group by all),
      outcomes as (select day_utc, sum(failed) as n from marts.delivery_daily group by all having sum(failed) > 0)
      select * from causes full join outcomes using (day_utc) where causes.n is distinct from outcomes.n
columns:
  day_utc: date -- Day of event_time_utc.
  country_code: varchar -- Country of the number, ISO 3166; null where unknown.
  range_operator: varchar -- Operator the number's range was given to; null where unknown.
  error_category: varchar -- Kind of failure.
  error_party: varchar -- Where the cause lies; recipient, handset, policy, network or sender; null where none.
  error_permanent: varchar -- Whether the same message would fail the same way again; yes, no or unknown.
  error_code: varchar -- error_msg as sent.
  error_match: varchar -- Rule by which the code was found; none where nothing covers it.
  failures: bigint -- Messages reported FAIL.
  share: double -- Share of all failures of this day, country and operator.
  first_seen_utc: timestamp -- First event_time_utc of the day.
  last_seen_utc: timestamp -- Last event_time_utc of the day.
  example_detail: varchar -- The carrier's own words, one example.
*/
with counted as (
    select
        date_trunc('day', event_hour_utc)::date as day_utc,
        country_code,
        range_operator,
        error_category,
        error_party,
        error_permanent,
        error_code,
        error_match,
        count(*) as failures,
        min(event_time_utc) as first_seen_utc,
        max(event_time_utc) as last_seen_utc,
        min(error_detail) as example_detail
    from core.sms_status
    where not delivered
        and event_hour_utc in (
            select unnest(range(day_utc::timestamp, day_utc + interval 1 day, interval 1 hour))
            from stale_event_days
        )
    group by all
)

select
    day_utc,
    country_code,
    range_operator,
    error_category,
    error_party,
    error_permanent,
    error_code,
    error_match,
    failures,
    failures / sum(failures) over (partition by day_utc, country_code, range_operator) as share,
    first_seen_utc,
    last_seen_utc,
    example_detail
from counted
